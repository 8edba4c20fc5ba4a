/* preflight.h - look before the leap: is all there that a restore needs? */

#ifndef ANKLUME_TRANSFER_PREFLIGHT_H
#define ANKLUME_TRANSFER_PREFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

struct backup_index;
struct create_missing;
struct error;
struct incus_client;
struct watch;

struct preflight_request {
	const char *project;
	const char *storage;	 /* NULL: the pool that the archive names */
	uint64_t tar_size_bytes; /* 0: not known */
	const json_t *coming;	 /* volumes that will be there: objects with
				  * "pool" and "name"; NULL */
	bool own_volumes;	 /* a project that is made has them */

	/* Where not NULL, a project or profile that is missing is no failure,
	 * but noted here. */
	struct create_missing *missing;
};

/* Whether project, pool, profiles, networks and volumes exist in the daemon.
 * Everything that is missing is one ERROR_NOT_FOUND, with the commands that
 * make it. */
int preflight_check(struct incus_client *client,
    const struct backup_index *index, const struct preflight_request *request,
    struct error *err);

/* Whether the daemon runs such instances: ERROR_EXISTS. */
int preflight_check_kind(struct incus_client *client,
    const struct backup_index *index, struct error *err);

/* Whether the pool has room: ERROR_NO_SPACE. A pool that is not there, or does
 * not know, has; a machine's disk, which may have holes, is only noted. */
int preflight_check_space(struct incus_client *client,
    const struct backup_index *index, const struct preflight_request *request,
    const struct watch *watch, struct error *err);

#endif
