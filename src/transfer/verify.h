/* verify.h - archives are read to their end, and it is remembered what came of
 * it */

#ifndef ANKLUME_TRANSFER_VERIFY_H
#define ANKLUME_TRANSFER_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

struct error;
struct watch;

enum verify_level {
	/* Its bytes are those of its manifest, or of this host's record. */
	VERIFY_DIGEST,
	/* And it decrypts and unpacks to a whole tar of that instance, with as
	 * many members, and to the bytes that the manifest says. */
	VERIFY_CONTENT,
};

struct verify_request {
	const char *const *words; /* as in backup_word.h; none: all */
	size_t word_count;
	const char *from;    /* a directory; NULL: backups/ */
	const char *project; /* NULL: of any */
	size_t oldest;	     /* as in backup_choice.h */
	enum verify_level level;
	bool dry_run;

	/* Told of each archive as soon as it is done; may be NULL. */
	void (*tell)(void *data, const json_t *result);
	void *data;
};

/* Verify each, whatever becomes of the others. *ret_results, owned by the
 * caller, has an object for each (docs/formats.md, "verify"), also on failure.
 * One archive fails with its own error. Of several, ERROR_DAMAGED when any is
 * damaged, ERROR_PARTIAL when any could not be verified. An intact archive gets
 * a proof, a damaged one a mark (store/proof.h). */
int verify_backups(const struct verify_request *request,
    const struct watch *watch, json_t **ret_results, struct error *err);

#endif
