/* thaw_guard.h - an instance is frozen, and thawed whatever happens to us
 *
 * Freezing and thawing are done by a child process in a session of its own,
 * which no signal of a terminal reaches. It thaws when it is told to, when this
 * process is gone, however it ended, and when its limit has passed; it tries
 * for an hour, should the daemon be away, and ends when it has thawed. Only
 * kill -9 of the child itself leaves the instance frozen, once this process is
 * gone, too. */

#ifndef ANKLUME_TRANSFER_THAW_GUARD_H
#define ANKLUME_TRANSFER_THAW_GUARD_H

#include <stdint.h>

struct error;
struct instance_ref;
struct thaw_guard;

/* How long the child tries to thaw: a daemon that is upgraded comes back. */
#define THAW_GUARD_TRIES_S 3600

/* Freeze a running instance, which is not that of this process (self.h); back
 * when it is frozen. `timeout_s` is how long the daemon may be silent,
 * `limit_s` how long it may stay frozen. NULL when it is not frozen:
 * ERROR_EXISTS when somebody else has frozen it, and it stays so. */
struct thaw_guard *thaw_guard_new(const struct instance_ref *instance,
    int timeout_s, int limit_s, struct error *err);

/* Have it thawed, without waiting. */
void thaw_guard_release(struct thaw_guard *guard);

/* Have it thawed and wait for that, as long as the daemon may be silent.
 * *ret_frozen_ms is how long it was frozen. -1 when it was thawed before, by
 * the limit or by somebody else, or cannot be thawed now. */
int thaw_guard_end(
    struct thaw_guard *guard, int64_t *ret_frozen_ms, struct error *err);

/* The same after a failure: *err (which is set already) gets a hint when the
 * instance stays frozen. NULL is fine. An ended one is only freed. */
void thaw_guard_free(struct thaw_guard *guard, struct error *err);

#endif
