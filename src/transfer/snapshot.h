/* snapshot.h - snapshots of instances, by name */

#ifndef ANKLUME_TRANSFER_SNAPSHOT_H
#define ANKLUME_TRANSFER_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

struct error;
struct watch;

struct snapshot_request {
	/* [PROJECT/]INSTANCE, one at least. Where `name` is NULL, the second of
	 * two words may be the snapshot's name: always to restore and delete,
	 * which want one; to create, when it is the name of no instance. */
	const char *const *words;
	size_t word_count;
	const char *project; /* breaks ties; may be NULL */
	const char *name;    /* of the snapshot; may be NULL */
	int timeout_s;
	bool dry_run;
};

/* Each does its work on all instances, which are found before it begins.
 *
 * *ret_results, owned by the caller, is set also on failure, and NULL when
 * nothing was begun: an array with an object for each instance: "project",
 * "instance", "snapshot"; "dry_run" where nothing is done. With several
 * instances also "status", null for one that was not begun, and "error" where
 * it failed.
 *
 * With one instance a failure is its own. With several, each is told as a note,
 * and ERROR_PARTIAL in the end; only an interruption or a daemon that is gone
 * ends the run at once. */

/* Without a name, one is made from the local time. A new name has letters,
 * digits, ".", "_" and "-" only. */
int snapshot_create(const struct snapshot_request *request,
    const struct watch *watch, json_t **ret_results, struct error *err);

int snapshot_restore(const struct snapshot_request *request,
    const struct watch *watch, json_t **ret_results, struct error *err);

int snapshot_delete(const struct snapshot_request *request,
    const struct watch *watch, json_t **ret_results, struct error *err);

/* Every word is an instance. The objects hold "project", "instance",
 * "snapshots": [{"name", "created_at", "expires_at", "stateful"}]. */
int snapshot_list(const struct snapshot_request *request,
    const struct watch *watch, json_t **ret_results, struct error *err);

#endif
