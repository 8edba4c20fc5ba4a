/* reencrypt.h - archives get other keys, without a new export */

#ifndef ANKLUME_TRANSFER_REENCRYPT_H
#define ANKLUME_TRANSFER_REENCRYPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "transfer/backup_choice.h"
#include "transfer/backup_each.h"

struct error;
struct watch;

struct reencrypt_request {
	struct backup_choice_request which; /* all but `proof` */
	const char *const *recipients; /* keys, as for create; at least one */
	size_t recipient_count;
	bool dry_run;
	struct backup_listener listener;
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
