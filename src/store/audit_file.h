/* audit_file.h - one file of the audit trail: lines of JSON, each with the
 * SHA-256 of the line before
 *
 * The format is in docs/formats.md. Whoever may write the file can make it
 * whole anew; what is lost or changed otherwise shows (audit_reader.h). */

#ifndef ANKLUME_STORE_AUDIT_FILE_H
#define ANKLUME_STORE_AUDIT_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/json.h"
#include "stream/digest.h"

struct error;

#define AUDIT_FILE_NAME "audit.jsonl"

/* Where logrotate(8) puts the file before: the first line continues it. */
#define AUDIT_FILE_BEFORE AUDIT_FILE_NAME ".1"

/* What the first line of all has for the line before. */
#define AUDIT_NOTHING_BEFORE                                                   \
	"00000000000000000000000000000000"                                     \
	"00000000000000000000000000000000"

/* No line is longer; those of a run with the longest names stay below. */
#define AUDIT_LINE_MAX_BYTES ((size_t)8 * 1024 * 1024)

/* The file, open and locked. */
struct audit_file {
	int directory_fd;
	int fd;
	off_t size_bytes;
	bool torn; /* its last line has no end: a run was killed */
	char previous[DIGEST_TEXT_BYTES]; /* what the next line continues */
};

/* Open the file in `directory`, made when missing, and wait for the lock:
 * ERROR_LOCKED after ten seconds. A symbolic link is not followed, and what is
 * no regular file is refused. `mode` is for a new file. */
int audit_file_open(const char *directory, mode_t mode,
    struct audit_file *ret_file, struct error *err);

/* Write `line` (without its end) with one write(2), and make it last (fsync).
 * A write that fails leaves the file as it was. */
int audit_file_append(
    struct audit_file *file, const char *line, struct error *err);

void audit_file_close(struct audit_file *file);

/* Take a lock on a file that others append to; `exclusive` to append, shared to
 * see it between two lines. ERROR_LOCKED after ten seconds. */
int audit_file_lock(
    int fd, bool exclusive, const char *name, struct error *err);

/* The SHA-256 of the last line of a file of `size_bytes`, with its end;
 * AUDIT_NOTHING_BEFORE when it is empty. */
int audit_file_last(int fd, off_t size_bytes,
    char ret_sha256[DIGEST_TEXT_BYTES], bool *ret_torn, struct error *err);

/* What the first line of the file in that directory continues: the end of the
 * file before, where there is one. */
int audit_file_before(
    int directory_fd, char ret_sha256[DIGEST_TEXT_BYTES], struct error *err);

#endif
