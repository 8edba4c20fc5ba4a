/* drill_clone.h - the clone of a drill: an instance in a project of its own,
 * that has its root disk and touches nothing else */

#ifndef ANKLUME_TRANSFER_DRILL_CLONE_H
#define ANKLUME_TRANSFER_DRILL_CLONE_H

#include "base/json.h"
#include "incus/instance.h"

struct backup_index;
struct error;
struct incus_client;
struct stream;

/* How long an instance without a command must run. */
#define DRILL_RUN_S 5

struct drill_clone {
	struct incus_client *client;  /* borrowed */
	struct instance_ref instance; /* in its project */
	const char *pool;	      /* of its root disk; borrowed */
	json_t *without; /* what it is tested without: an array of strings */
	int timeout_s;	 /* the command's, all attempts together */
	char *command;	 /* the one that proves its health; NULL: none */
};

void drill_clone_clear(struct drill_clone *clone);

/* Make the project, with stubs of the profiles and volumes that the index
 * names: profiles keep their keys and lose their devices. */
int drill_clone_prepare(struct drill_clone *clone,
    const struct backup_index *index, struct error *err);

/* After the import: take every device but the root disk, and the keys that
 * reach for the host; see that it is so. */
int drill_clone_strip(struct drill_clone *clone, struct error *err);

/* Start it and wait until it is healthy. ERROR_DRILL. */
int drill_clone_prove(struct drill_clone *clone, struct error *err);

#endif
