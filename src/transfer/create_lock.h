/* create_lock.h - no two runs back the same thing up at once, and nobody takes
 * archives away where one is being written */

#ifndef ANKLUME_TRANSFER_CREATE_LOCK_H
#define ANKLUME_TRANSFER_CREATE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "store/host_lock.h"

struct backup_subject;
struct incus_client;

/* Zero-initialised, nothing is held. */
struct create_lock {
	char *name;    /* of the subject's; NULL: it is not held */
	int subject;   /* descriptors */
	int directory; /* -1: none */
	bool taken;
	struct error problem; /* why the subject could not be locked, which is
			       * no reason to go without a backup; or clear */
};

/* Wait for both, `wait_ms` at most; `directory` may be NULL. ERROR_LOCKED. */
int create_lock_take(struct incus_client *client,
    const struct backup_subject *of, const char *directory, int64_t wait_ms,
    struct create_lock *ret_lock, struct error *err);

/* Whether a run of this host's is at it, and since when it is, or was; not set
 * where there was none. */
int create_lock_look(struct incus_client *client,
    const struct backup_subject *of, enum host_lock_state *ret_state,
    time_t *ret_since, struct error *err);

void create_lock_drop(struct create_lock *lock);

#endif
