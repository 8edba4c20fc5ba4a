/* create.h - an instance becomes an archive, and so do its volumes */

#ifndef ANKLUME_TRANSFER_CREATE_H
#define ANKLUME_TRANSFER_CREATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "stream/compression.h"
#include "transfer/consistency.h"

struct backup_subject;
struct create_keys;
struct error;
struct incus_client;
struct instance_ref;
struct watch;

/* What a run over several has found out for each. */
struct create_known {
	struct incus_client *client; /* that has asked the daemon */
	const struct create_keys
	    *keys; /* what is doubtful about them is said */

	/* Of a run over many, which has also seen to the daemon's spool; NULL.
	 */
	const json_t *projects; /* api.Project */
	const json_t *volumes;	/* what has become of the attached ones: objects
				 * as in attached_volumes.h */
};

struct create_request {
	const char *instance; /* [PROJECT/]INSTANCE */
	const char *project;  /* breaks ties; may be NULL */
	int timeout_s;

	/* Instead of that, found already; NULL. */
	const struct instance_ref *found;
	const struct backup_subject *volume;
	const struct create_known *known; /* as one of several; NULL */

	const char *const *recipients; /* key ids; none: not encrypted */
	size_t recipient_count;
	struct compression compression;
	const char *signer; /* a key id; NULL: not signed */
	const char *output; /* a directory, or "-" */
	bool make_output;   /* its last component may be made */
	bool force;
	bool instance_only; /* without snapshots */
	bool volumes;	    /* attached ones before it, to the same place */
	bool dry_run;
	enum consistency_how consistency;
	int freeze_limit_s; /* of an instance that is frozen for it */

	const char *require_mount;   /* something is mounted there; NULL */
	int64_t lock_wait_ms;	     /* for another run to end */
	uint64_t bytes_per_s;	     /* of the archive; 0: no limit */
	unsigned int shrink_percent; /* is worth a warning; 0: never */
};

struct create_result {
	char *path;	  /* of the archive; NULL with "-" or a dry run */
	json_t *manifest; /* NULL with a dry run */
};

void create_result_clear(struct create_result *result);

/* Export, check, compress, encrypt, and publish. Keys, names, rights and the
 * directory are looked at before anything is exported; the archive appears only
 * when whole, and its manifest after it. ERROR_LOCKED while another run backs
 * the same thing up. A volume that cannot be backed up fails its instance,
 * unless it was one of many. */
int create_backup(const struct create_request *request,
    const struct watch *watch, struct create_result *ret_result,
    struct error *err);

#endif
