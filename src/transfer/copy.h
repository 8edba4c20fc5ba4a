/* copy.h - files from instance to instance, or to and from our own side */

#ifndef ANKLUME_TRANSFER_COPY_H
#define ANKLUME_TRANSFER_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

struct watch;

struct copy_request {
	const char *const *sources;
	size_t source_count;
	const char *destination;
	const char *project; /* breaks ties between holders; may be NULL */
	int timeout_s;	     /* without a byte or news from the daemon */
	bool recursive;	     /* directories with all that is in them */
	bool create_directories;
	bool no_clobber;
	bool in_place; /* write into files that are there, not atomically */
	bool verify;   /* read back what was written */
	bool update;   /* leave what has the same size and time */
	bool keep_setuid;
	bool dry_run;

	/* Instead of what the table of the design gives; -1 is not said. */
	int64_t uid;
	int64_t gid;
	int64_t mode;
};

struct copy_result {
	size_t copied;
	size_t failed;
	size_t skipped; /* FIFOs, sockets and devices of a tree */
	size_t kept;	/* files of a tree that were there already */
	uint64_t size_bytes;
	enum error_code failure; /* of the first that failed in a tree */
};

/* Copy each source. All names are resolved before the first byte. With several
 * sources the failure of one is a note, and the end is ERROR_PARTIAL. Each file
 * is all or nothing at its destination. */
int copy_files(const struct copy_request *request, const struct watch *watch,
    struct copy_result *ret_result, struct error *err);

/* What the policy says of a request with one source; nothing is read or made.
 * *ret_answer as of copy_policy_explain(), also with ERROR_DENIED; NULL where
 * the question could not be asked. */
int copy_explain(
    const struct copy_request *request, json_t **ret_answer, struct error *err);

#endif
