/* origin.h - where an archive comes from: the one word of trust
 *
 * "this host": its digest is in this host's record. "signed by <fingerprint>":
 * the manifest that names its digest has a good signature by a key of the
 * keyring; whether that key is trusted is the user's to say. "unknown" is any
 * other. */

#ifndef ANKLUME_TRANSFER_ORIGIN_H
#define ANKLUME_TRANSFER_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "stream/openpgp_sign.h"

struct digest;
struct error;

enum origin {
	ORIGIN_UNKNOWN,
	ORIGIN_SIGNED,
	ORIGIN_THIS_HOST,
};

/* Room for the words, untranslated as in JSON. */
#define ORIGIN_TEXT_BYTES (OPENPGP_FINGERPRINT_BYTES + 16)

/* What an archive would be if it is the one that `manifest`, which lies beside
 * `path`, is of; nothing of the archive is read. For a list: what is not in the
 * record and has a signature costs a gpg. `manifest` may be NULL. */
enum origin origin_presumed(
    const char *path, const json_t *manifest, char ret_text[ORIGIN_TEXT_BYTES]);

/* Room for them in a person's language. */
#define ORIGIN_SHOWN_BYTES (ORIGIN_TEXT_BYTES + 64)

/* The words translated. Returns buf. */
const char *origin_show(char buf[ORIGIN_SHOWN_BYTES], const char *text);

/* What a user asks of a signature. */
struct signature_demand {
	const char *const *signers; /* fingerprints; any of them */
	size_t signer_count;
	bool required; /* by any key of the keyring */

	/* Signers that are trusted and not asked for: an archive of theirs is
	 * of known origin, another's is no failure. */
	const char *const *trusted;
	size_t trusted_count;
};

/* Whether the fingerprints are such. ERROR_USAGE. */
int signature_demand_check(
    const struct signature_demand *demand, struct error *err);

/* What is expected of an archive before it is read; proven at its end. */
struct provenance {
	json_t *manifest;   /* beside it; NULL when there is none */
	json_t *candidates; /* the record's entries that it may be, all of
			     * one instance or volume */
	bool has_signature; /* the manifest */
	bool trusted;	    /* its signer is, or was asked for */
	struct openpgp_verdict signature; /* of the manifest */
};

/* Look at the manifest beside `path`, its signature, and the record. A manifest
 * that cannot be this file's (another size), or that is not what was signed, is
 * ERROR_DAMAGED. */
int provenance_load(const char *path, uint64_t size_bytes,
    struct provenance *ret_provenance, struct error *err);

void provenance_clear(struct provenance *provenance);

static inline void
auto_provenance_cleanup(struct provenance *provenance)
{
	provenance_clear(provenance);
}

/* An owning local. */
#define auto_provenance __attribute__((cleanup(auto_provenance_cleanup)))

/* The signature is what is demanded, or ERROR_DAMAGED. Whether its signer is
 * trusted is known from here on. */
int provenance_demand(struct provenance *provenance, const char *path,
    const struct signature_demand *demand, struct error *err);

/* What says where the archive belongs: an entry of the record, or the manifest
 * when its signer is trusted; NULL when neither is there. Borrowed. Only a
 * presumption until provenance_check(). */
const json_t *provenance_entry(const struct provenance *provenance);

/* At the end of the archive: does its digest fit what was presumed? With
 * `presumed`, something was taken from provenance_entry(). ERROR_DAMAGED. */
int provenance_check(const struct provenance *provenance,
    const struct digest *digest, bool presumed, struct error *err);

/* By the digest of a whole archive that has passed provenance_check(): proven.
 */
enum origin provenance_origin(const struct provenance *provenance,
    const struct digest *digest, char ret_text[ORIGIN_TEXT_BYTES]);

#endif
