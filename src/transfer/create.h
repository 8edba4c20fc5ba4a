/* create.h - an instance becomes an archive */

#ifndef ANKLUME_TRANSFER_CREATE_H
#define ANKLUME_TRANSFER_CREATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "stream/compression.h"
#include "transfer/consistency.h"

struct error;
struct watch;

struct create_request {
	const char *instance; /* [PROJECT/]INSTANCE */
	const char *project;  /* breaks ties; may be NULL */
	int timeout_s;

	const char *const *recipients; /* key ids; none: not encrypted */
	size_t recipient_count;
	struct compression compression;
	const char *signer; /* a key id; NULL: not signed */
	const char *output; /* a directory, or "-" */
	bool make_output;   /* its last component may be made */
	bool force;
	bool instance_only;
	bool dry_run;
	enum consistency_how consistency;
	int freeze_limit_s; /* of an instance that is frozen for it */
};

struct create_result {
	char *path;	  /* of the archive; NULL with "-" or a dry run */
	json_t *manifest; /* NULL with a dry run */
};

void create_result_clear(struct create_result *result);

/* Export, check, compress, encrypt, and publish. Keys, names, rights and the
 * directory are looked at before anything is exported; the archive appears only
 * when whole, and its manifest after it. */
int create_backup(const struct create_request *request,
    const struct watch *watch, struct create_result *ret_result,
    struct error *err);

#endif
