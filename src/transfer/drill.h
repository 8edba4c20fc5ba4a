/* drill.h - an archive is restored, where nobody uses it, and must run */

#ifndef ANKLUME_TRANSFER_DRILL_H
#define ANKLUME_TRANSFER_DRILL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "transfer/backup_choice.h"
#include "transfer/backup_each.h"

struct error;
struct watch;

struct drill_request {
	struct backup_choice_request
	    which;	     /* `proof` and `instances_only` are ours */
	const char *storage; /* NULL: the pool that the archive names */
	int timeout_s;	     /* also of a clone's command */
	bool dry_run;
	struct backup_listener listener;
};

/* Restore each into a project of its own (drill_clone.h), start it, wait until
 * it is healthy, and take everything away again, whatever happens. What drills
 * that were killed have left is taken away first. *ret_results, owned by the
 * caller, has an object for each (docs/formats.md, "Proofs"), also on failure.
 * One archive fails with its own error; of several, ERROR_DRILL when a clone
 * did not run, else ERROR_PARTIAL. */
int drill_backups(const struct drill_request *request,
    const struct watch *watch, json_t **ret_results, struct error *err);

#endif
