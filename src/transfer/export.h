/* export.h - the way of the bytes from the daemon to the archive */

#ifndef ANKLUME_TRANSFER_EXPORT_H
#define ANKLUME_TRANSFER_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "stream/backup_index.h"
#include "stream/digest.h"
#include "stream/examine.h"

struct backup_subject;
struct compression;
struct error;
struct incus_client;
struct openpgp_recipients;
struct thaw_guard;
struct watch;

/* Borrowed, all of it. */
struct export_request {
	struct incus_client *client;
	const struct backup_subject *subject;
	const struct openpgp_recipients *recipients; /* none: not encrypted */
	const struct compression *compression;
	const char *output;   /* a directory, or "-" */
	const char *name;     /* of the archive in it */
	uint64_t bytes_per_s; /* of the archive; 0: no limit */
	bool force;	      /* replace one of that name */
	bool instance_only;
	struct thaw_guard *guard; /* of the instance, if it is frozen for it */
};

/* What is known once the archive is there. */
struct exported {
	struct examination examination;
	struct backup_index index;
	struct digest tar;
	struct digest archive;

	/* Whether nothing ran in it while the daemon read it. */
	bool frozen;
	int64_t frozen_ms; /* by us */
	/* Something may have come out at the end of the chain. */
	bool begun;
};

void exported_clear(struct exported *exported);

/* Whether `output` means standard output. */
bool export_is_to_stdout(const char *output);

/* Export, check, compress, encrypt, publish. A frozen instance is thawed as
 * soon as the daemon has read it; whether it was frozen until then is part of
 * the checks. ERROR_DAMAGED when the daemon sends something else than the whole
 * of it. *ret_exported (zeroed before)
 * is to be cleared after a failure, too. */
int export_archive(const struct export_request *request,
    const struct watch *watch, struct exported *ret_exported,
    struct error *err);

#endif
