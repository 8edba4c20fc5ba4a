/* verify.h - archives are read to their end, and it is remembered what came of
 * it */

#ifndef ANKLUME_TRANSFER_VERIFY_H
#define ANKLUME_TRANSFER_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "transfer/backup_choice.h"
#include "transfer/backup_each.h"

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
	struct backup_choice_request which; /* all but `proof` */
	enum verify_level level;
	bool dry_run;
	struct backup_listener listener;
};

/* Verify each, whatever becomes of the others. *ret_results, owned by the
 * caller, has an object for each (docs/formats.md, "Proofs"), also on failure.
 * One archive fails with its own error. Of several, ERROR_DAMAGED when any is
 * damaged, ERROR_PARTIAL when any could not be verified. An intact archive gets
 * a proof, a damaged one a mark (store/proof.h). */
int verify_backups(const struct verify_request *request,
    const struct watch *watch, json_t **ret_results, struct error *err);

#endif
