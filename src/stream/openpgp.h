/* openpgp.h - encrypting and decrypting filters over gpg; openpgp*.c are the
 * only place that names gpgme
 *
 * gpg is a process of its own; these filters feed it and take what it gives,
 * without a thread. gpg's exit says little: an end is only believed when gpg
 * has said on its status channel what a whole message makes it say (doc/DETAILS
 * of GnuPG). */

#ifndef ANKLUME_STREAM_OPENPGP_H
#define ANKLUME_STREAM_OPENPGP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct error;
struct stream;

/* 40 hexadecimal digits (RFC 4880, section 12.2) or 64 (RFC 9580), and a NUL.
 */
#define OPENPGP_FINGERPRINT_BYTES 65

/* At most this many --gpg. */
#define OPENPGP_RECIPIENTS_MAX 32

struct openpgp_key {
	char fingerprint[OPENPGP_FINGERPRINT_BYTES];
	time_t expires; /* of the key or its encryption part; 0 is never */
};

/* Keys that an archive will be encrypted to. */
struct openpgp_recipients {
	size_t count;
	struct openpgp_key keys[OPENPGP_RECIPIENTS_MAX];
};

/* Load gpgme and look for gpg, once; every function here does so by itself. -1
 * with ERROR_KEY when gpg is not installed. */
int openpgp_init(struct error *err);

/* Room for gpg's version, "2.2.40". */
#define OPENPGP_VERSION_BYTES 32

/* Which gpg is run. ERROR_KEY. */
int openpgp_version(char ret_version[OPENPGP_VERSION_BYTES], struct error *err);

/* What the keyring says of a key. */
struct openpgp_look {
	bool found;	    /* its public part is here */
	bool unusable;	    /* revoked, expired, disabled or invalid */
	time_t expires;	    /* of the key or its signing part; 0 is never */
	bool decrypts_here; /* the secret part lies on this disk */
};

/* Look a key up by its whole fingerprint. ERROR_KEY when gpg fails. */
int openpgp_look_up(
    const char *fingerprint, struct openpgp_look *ret_look, struct error *err);

/* The one secret key for `id` that can sign; nothing is signed, and nobody
 * asked for a passphrase. Its `expires` is that of the part that signs.
 * ERROR_KEY. */
int openpgp_find_signing_key(
    const char *id, struct openpgp_key *ret_key, struct error *err);

/* Find exactly one usable key for each of `count` ids, in the local keyring
 * only: nothing is ever fetched. Keys that are expired, revoked, disabled or
 * cannot encrypt do not count. None or two left: -1 with ERROR_KEY and the
 * choice. An id that is a full fingerprint is consent; otherwise the key must
 * be certified: validity marginal or better for a user id that has the address
 * or the text, or for any of them where the id is a key id. A key named twice
 * counts once. Blocks while gpg lists; an interruption ends that. */
int openpgp_find_recipients(const char *const *ids, size_t count,
    struct openpgp_recipients *ret_recipients, struct error *err);

/* A whole fingerprint as a person types it, with spaces, small letters or 0x,
 * as gpg spells it. ERROR_USAGE for anything else. */
int openpgp_parse_fingerprint(const char *text,
    char ret_fingerprint[OPENPGP_FINGERPRINT_BYTES], struct error *err);

/* Encrypt to `recipients` (copied), binary, uncompressed: the tar is already.
 */
struct stream *openpgp_encrypt_new(struct stream *from,
    const struct openpgp_recipients *recipients, struct error *err);

/* Decrypt. No key for it, or a passphrase not given: ERROR_KEY; anything else
 * that is wrong with the message: ERROR_DAMAGED. */
struct stream *openpgp_decrypt_new(struct stream *from, struct error *err);

/* Whether content that begins so is an OpenPGP message, binary or armored. */
bool openpgp_detect(const unsigned char *head, size_t size);

#endif
