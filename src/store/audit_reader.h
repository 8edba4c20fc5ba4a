/* audit_reader.h - the lines of one file of the audit trail, and whether each
 * continues the one before */

#ifndef ANKLUME_STORE_AUDIT_READER_H
#define ANKLUME_STORE_AUDIT_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "stream/digest.h"

struct error;

struct audit_line {
	uint64_t number; /* from 1 */
	/* Borrowed; NULL: no whole entry, as a killed run leaves it. */
	const json_t *entry;
	/* Its hash of the line before is right; also for the first line, about
	 * the file before. False for what is no entry. */
	bool continues;
};

/* Called for each line; -1 with err set ends the reading. */
typedef int audit_visit(
    void *data, const struct audit_line *line, struct error *err);

/* Read the trail in `directory` up to its present end: 1, 0 when there is none,
 * -1 on failure (ERROR_DENIED: not the caller's to read) or when interrupted.
 * *ret_last is the last line's hash. */
int audit_read(const char *directory, audit_visit *visit, void *data,
    char ret_last[DIGEST_TEXT_BYTES], struct error *err);

/* Look for a hash in the files that syslog writes below `log_directory`: 1 and
 * *ret_where (heap), 0 when none holds it or may be read, -1. */
int audit_confirm(const char *log_directory, const char *sha256,
    char **ret_where, struct error *err);

#endif
