/* ack.h - "that it is so much smaller is as it should be" */

#ifndef ANKLUME_TRANSFER_ACK_H
#define ANKLUME_TRANSFER_ACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

struct error;
struct watch;

struct ack_request {
	const char *const *words; /* as in backup_word.h, no paths */
	size_t word_count;
	const char *from;    /* a directory; NULL: backups/ */
	const char *project; /* of a word that says none; NULL: of any */
	bool dry_run;
};

/* Acknowledge every shrinkage of the backups that are meant: kept beside the
 * record, for this host. *ret_paths is an array, owned by the caller.
 * ERROR_NOT_FOUND when there is none. */
int backup_ack(
    const struct ack_request *request, json_t **ret_paths, struct error *err);

#endif
