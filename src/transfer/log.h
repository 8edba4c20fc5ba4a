/* log.h - the audit trail, read again: what was moved, and whether the trail is
 * as it was written */

#ifndef ANKLUME_TRANSFER_LOG_H
#define ANKLUME_TRANSFER_LOG_H

#include "base/json.h"

struct error;
struct watch;

/* What an entry must be; NULL is anything. */
struct log_request {
	const char *since;    /* a time, as clock_parse() reads it */
	const char *instance; /* [PROJECT/]INSTANCE, on either side */
	const char *user;     /* also the one behind sudo */
	const char *result;   /* "done", "denied" ... */
};

/* Called for each entry (docs/formats.md), in the order of its trail. Its texts
 * are those of a file: not fit for a terminal. -1 with err set ends it. */
typedef int log_visit(void *data, const json_t *entry, struct error *err);

/* Read the trails that the caller may read. Lines that are no entries are a
 * note. ERROR_USAGE for a request that cannot be read, ERROR_NOT_FOUND when
 * nothing matches. */
int log_read(const struct log_request *request, const struct watch *watch,
    log_visit *visit, void *data, struct error *err);

/* Check the trails. *ret_trails, owned by the caller, is set also when one is
 * damaged: an array with an object for each: "path", "lines", "last_sha256",
 * "end_confirmed_by" (a path, or null), "damage": [{"line", "problem"}].
 * ERROR_DAMAGED, or ERROR_NOT_FOUND when there is no trail. */
int log_verify(
    const struct watch *watch, json_t **ret_trails, struct error *err);

#endif
