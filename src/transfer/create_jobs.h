/* create_jobs.h - the processes of a run over several instances */

#ifndef ANKLUME_TRANSFER_CREATE_JOBS_H
#define ANKLUME_TRANSFER_CREATE_JOBS_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/json.h"

struct create_choice;
struct create_keys;
struct create_many_request;
struct error;
struct incus_client;
struct watch;

struct create_jobs_request {
	const struct create_many_request *many;
	const struct create_choice *choice;
	json_t *volumes; /* attached ones, backed up first: objects as in
			  * attached_volumes.h, which get "archive" and
			  * "sha256" */
	const struct create_keys *keys;
	struct incus_client *client;
	const json_t *projects; /* api.Project of all */
	struct stat directory;	/* the output, as it was found */
	size_t jobs;		/* at once, from 1 on */
};

/* Back up each. `backups` gets an object for each, the volumes before the
 * instances in the order of the choice; after an interruption those that were
 * not begun have failed with it. -1 only where there can be no processes. */
int create_jobs_run(const struct create_jobs_request *request,
    const struct watch *watch, json_t *backups, struct error *err);

#endif
