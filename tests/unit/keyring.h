/* keyring.h - throw-away keyrings for the tests that need gpg
 *
 * gpg runs without a shell, on a home of its own in a temporary directory, with
 * a pinentry that always says no. */

#ifndef ANKLUME_UNIT_KEYRING_H
#define ANKLUME_UNIT_KEYRING_H

#include "support.h"

/* Room for a fingerprint of 40 digits and a NUL. */
#define KEYRING_FINGERPRINT_BYTES 41

/* The exit status by which a test tells Meson that it was skipped. */
#define KEYRING_SKIPPED 77

struct keyring {
	char home[64];
};

/* Whether there is a gpg at all. */
bool keyring_has_gpg(void);

void keyring_open(struct keyring *keyring);

/* Ends its gpg-agent and removes the directory. */
void keyring_close(struct keyring *keyring);

/* Put one more line in its gpg.conf, instead of the one before; "" is none. */
void keyring_configure(const struct keyring *keyring, const char *line);

/* Let its gpg-agent forget all passphrases. Returns an exit status. */
int keyring_reload(const struct keyring *keyring);

/* Let gpg, and gpgme, use this one: sets GNUPGHOME. */
void keyring_use(const struct keyring *keyring);

/* Run gpg on the keyring in use, with the arguments up to NULL. `input` may be
 * NULL; what gpg writes to its output goes to *ret_output, unless that is NULL.
 * Returns the exit status. */
int keyring_gpg(const struct bytes *input, struct bytes *ret_output, ...)
    __attribute__((sentinel));

/* Make a key pair without a passphrase. `algorithm` and `usage` as for
 * --quick-generate-key ("future-default" "default": ed25519 and cv25519).
 * `expires` "never", "2y"; `made`, as 20200101T000000, or NULL for now. */
struct keyring_key {
	const char *user_id;
	const char *algorithm;
	const char *usage;
	const char *expires;
	const char *made;
	const char *passphrase; /* NULL is none */
};
void keyring_generate(const struct keyring_key *key,
    char ret_fingerprint[KEYRING_FINGERPRINT_BYTES]);

/* The same for an ordinary key that does not expire. */
void keyring_generate_plain(
    const char *user_id, char ret_fingerprint[KEYRING_FINGERPRINT_BYTES]);

/* Bring the public key over from another keyring; nobody certifies it. */
void keyring_import(const struct keyring *to, const struct keyring *from,
    const char *fingerprint);

#endif
