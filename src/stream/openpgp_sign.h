/* openpgp_sign.h - detached OpenPGP signatures over text in memory */

#ifndef ANKLUME_STREAM_OPENPGP_SIGN_H
#define ANKLUME_STREAM_OPENPGP_SIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "stream/openpgp.h"

struct error;

/* A key that has just signed something. */
struct openpgp_signer;

/* Find the one secret key for `id` (as for --gpg, see openpgp.h) and let it
 * sign a few bytes, so that one that cannot is found before anything depends on
 * it: no secret part, a passphrase that nobody gives, an agent that refuses.
 * May wait for a person at a pinentry. ERROR_KEY. */
struct openpgp_signer *openpgp_signer_open(const char *id, struct error *err);

/* NULL is fine. */
void openpgp_signer_free(struct openpgp_signer *signer);

/* The primary key's. Borrowed. */
const char *openpgp_signer_fingerprint(const struct openpgp_signer *signer);

/* Sign: *ret_signature is heap, armored, and ends with a newline. ERROR_KEY. */
int openpgp_sign(const struct openpgp_signer *signer, const char *text,
    size_t size, char **ret_signature, struct error *err);

/* What has become of a signature. */
struct openpgp_verdict {
	bool good;
	bool forged; /* not of these bytes, or no signature: somebody or
		      * something has changed one of them */
	char fingerprint[OPENPGP_FINGERPRINT_BYTES]; /* the primary key's; "" is
						      * not good */
	const char *problem; /* why it is not good, one phrase; N_() */
};

/* Check a detached signature by a key of the keyring; whether the key can be
 * trusted is not asked. Good is exactly one signature, valid, with a digest
 * that still counts, by a key that is not revoked and had not expired when it
 * was made. 0 with the verdict; -1 when gpg cannot be asked (ERROR_KEY). */
int openpgp_verify(const char *text, size_t size, const char *signature,
    size_t signature_size, struct openpgp_verdict *ret_verdict,
    struct error *err);

#endif
