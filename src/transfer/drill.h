/* drill.h - an archive is restored, where nobody uses it, and must run */

#ifndef ANKLUME_TRANSFER_DRILL_H
#define ANKLUME_TRANSFER_DRILL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

struct error;
struct watch;

struct drill_request {
	const char *const *words; /* as in backup_word.h; none: with `oldest` */
	size_t word_count;
	const char *from;    /* a directory; NULL: backups/ */
	const char *project; /* NULL: of any */
	size_t oldest;	     /* as in backup_choice.h */
	const char *storage; /* NULL: the pool that the archive names */
	int timeout_s;	     /* also of a clone's command */
	bool dry_run;

	/* Told of each archive as soon as it is done; may be NULL. */
	void (*tell)(void *data, const json_t *result);
	void *data;
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
