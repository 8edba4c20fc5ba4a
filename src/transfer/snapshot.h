/* snapshot.h - snapshots of instances, by name */

#ifndef ANKLUME_TRANSFER_SNAPSHOT_H
#define ANKLUME_TRANSFER_SNAPSHOT_H

#include <stdbool.h>

#include "base/json.h"

struct error;

struct snapshot_request {
	const char *instance; /* [PROJECT/]INSTANCE */
	const char *project;  /* breaks ties; may be NULL */
	const char *name;     /* of the snapshot; NULL: made from the time */
	int timeout_s;
	bool dry_run;
};

/* Each names what it did in *ret_done: {"project", "instance", "snapshot"},
 * owned by the caller. */
int snapshot_create(const struct snapshot_request *request, json_t **ret_done,
    struct error *err);
int snapshot_restore(const struct snapshot_request *request, json_t **ret_done,
    struct error *err);
int snapshot_delete(const struct snapshot_request *request, json_t **ret_done,
    struct error *err);

/* *ret_list is {"project", "instance", "snapshots": [{"name", "created_at",
 * "expires_at", "stateful"}]}, owned by the caller. */
int snapshot_list(const struct snapshot_request *request, json_t **ret_list,
    struct error *err);

#endif
