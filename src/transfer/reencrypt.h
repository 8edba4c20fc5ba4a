/* reencrypt.h - archives get other keys, without a new export */

#ifndef ANKLUME_TRANSFER_REENCRYPT_H
#define ANKLUME_TRANSFER_REENCRYPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

struct error;
struct watch;

struct reencrypt_request {
	const char *const *words; /* as in backup_word.h; at least one */
	size_t word_count;
	const char *from;	       /* a directory; NULL: backups/ */
	const char *project;	       /* NULL: of any */
	const char *const *recipients; /* keys, as for create; at least one */
	size_t recipient_count;
	bool dry_run;

	/* Told of each archive as soon as it is done; may be NULL. */
	void (*tell)(void *data, const json_t *result);
	void *data;
};

/* Decrypt each and encrypt it to the recipients alone, in one pass; the new
 * archive takes the old one's place when it is whole, with a manifest that says
 * so. What this host knows of the old one, origin and proofs of its content, is
 * known of the new one. *ret_results, owned by the caller, has an object for
 * each, also on failure: "path", "recipients", "sha256", "size_bytes",
 * "status", "problem". One archive fails with its own error, several with
 * ERROR_PARTIAL. */
int reencrypt_backups(const struct reencrypt_request *request,
    const struct watch *watch, json_t **ret_results, struct error *err);

#endif
