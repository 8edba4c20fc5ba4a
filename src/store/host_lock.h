/* host_lock.h - a name that one process of this host holds, until it ends
 *
 * A file and flock(2) in this host's state: the kernel lets go of it whatever
 * becomes of the process. */

#ifndef ANKLUME_STORE_HOST_LOCK_H
#define ANKLUME_STORE_HOST_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct error;

enum host_lock_state {
	HOST_LOCK_UNKNOWN, /* no process of this host ever held it */
	HOST_LOCK_HELD,	   /* by a process that lives */
	HOST_LOCK_LEFT,	   /* by one that has ended */
};

/* Take it: a descriptor that is the lock, or -1. While another process holds it
 * this waits, `wait_ms` at most; then it is ERROR_LOCKED, and the message has
 * the other's pid. An interruption ends the wait. */
int host_lock_take(const char *name, int64_t wait_ms, struct error *err);

/* Whether a failure to take it means that it must not be done without: another
 * has it, or the wait was interrupted. Any other is of the place where locks
 * are kept, such as a disk that is full. */
bool host_lock_is_refused(const struct error *err);

/* Let go of what host_lock_take() gave, and forget the name. */
void host_lock_drop(const char *name, int lock);

int host_lock_look(
    const char *name, enum host_lock_state *ret_state, struct error *err);

/* When it was taken last: 1, 0 when no process of this host ever held it, -1.
 */
int host_lock_taken_at(const char *name, time_t *ret_when, struct error *err);

/* Forget a name that was left. */
void host_lock_forget(const char *name);

#endif
