/* proof.h - what this host has found out about archives, and when
 *
 * One small JSON file for each kind of proof and digest, beside the record:
 * /var/lib/anklume/proof as root, else $XDG_STATE_HOME/anklume/proof. A proof
 * says that an archive is whole; it does not say where it comes from. Each has
 * "at" (RFC 3339, UTC); the other fields: docs/formats.md. */

#ifndef ANKLUME_STORE_PROOF_H
#define ANKLUME_STORE_PROOF_H

#include "base/json.h"

struct error;

enum proof_kind {
	PROOF_DIGEST,	/* its bytes are those of its manifest or the record */
	PROOF_CONTENT,	/* decrypted, decompressed, walked to its end */
	PROOF_DRILL,	/* restored, and it ran */
	PROOF_DAMAGE,	/* a file that should have this digest has not */
	PROOF_ACCEPTED, /* that it is so much smaller is as it should be */
};

#define PROOF_KINDS 5

/* "digest", "content" ... Static, untranslated. */
const char *proof_name(enum proof_kind kind);

/* Keep a proof, in the place of an older one of this kind. */
int proof_keep(const char *sha256, enum proof_kind kind, const json_t *proof,
    struct error *err);

/* Forget one; absence is fine. */
int proof_forget(const char *sha256, enum proof_kind kind, struct error *err);

/* Forget all of a digest, which may be a stranger's text or NULL. */
void proof_forget_all(const char *sha256);

/* All that is known of a digest, by the names of the kinds; {} when nothing is.
 * Owned by the caller. What cannot be read counts as not there. */
json_t *proof_load(const char *sha256, struct error *err);

#endif
