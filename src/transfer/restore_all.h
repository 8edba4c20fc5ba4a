/* restore_all.h - the morning after: every volume and instance of a directory
 * of archives */

#ifndef ANKLUME_TRANSFER_RESTORE_ALL_H
#define ANKLUME_TRANSFER_RESTORE_ALL_H

#include <stddef.h>
#include <time.h>

#include "base/json.h"
#include "transfer/restore.h"

struct error;
struct watch;

struct restore_all_request {
	/* What holds for each; `file`, `backup` and `name` are not looked at,
	 * and `project` is the only one that is meant: its instances, its
	 * volumes, and those of another that are attached to the former. */
	struct restore_request each;
	time_t at;	    /* the newest that is not younger; 0: the newest */
	const char *server; /* whose archives, by its name or the beginning of
			     * its fingerprint; NULL: this daemon's, or those
			     * of the only one */

	/* The whole plan, before anything is made; then each that was tried
	 * (with a dry run, looked at), as soon as it is done. */
	void (*planned)(void *data, const json_t *plan);
	void (*done)(void *data, const json_t *row);
	void *data;
};

/* The newest intact archive of each volume, then of each instance; an older one
 * where one turns out to be damaged while it is read. What exists is left
 * alone, so that a run which was cut goes on where it was; so is that whose
 * archive is neither this host's (backup adopt) nor signed by somebody who is
 * trusted. Two runs on this host do not restore into one daemon at a time: the
 * second is ERROR_LOCKED. *ret_plan is an array of objects (docs/formats.md),
 * owned by the caller. ERROR_PARTIAL when not all could be restored;
 * ERROR_NOT_FOUND when there is none; ERROR_AMBIGUOUS when the archives are of
 * several servers. */
int restore_all(const struct restore_all_request *request,
    const struct watch *watch, json_t **ret_plan, struct error *err);

#endif
