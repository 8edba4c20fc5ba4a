/* inspect.h - a filter that walks the tar of an Incus backup as it passes; with
 * inspect.c the only place that names libarchive
 *
 * A tar cut between two members is a valid file to every tool, the daemon's own
 * import among them: here the end is only believed after two zero blocks and
 * nothing but padding behind them (POSIX.1-2017, pax, "ustar Interchange
 * Format"). Bytes pass through unchanged. */

#ifndef ANKLUME_STREAM_INSPECT_H
#define ANKLUME_STREAM_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct stream;

/* The daemon itself takes no more since 7.0 (incus, internal/server/backup). */
#define INSPECT_INDEX_MAX_BYTES (1024 * 1024)

/* What is known of a backup. The caller owns it and clears it after the stream
 * is gone. */
struct inspection {
	/* The text of backup/index.yaml; there as soon as inspect_new() has
	 * returned. */
	char *index_yaml;
	size_t index_size;

	/* Valid once the end was read. */
	bool complete;
	uint64_t entries;
	uint64_t tar_size_bytes;
};

void inspection_clear(struct inspection *inspection);

/* Reads `from` up to the end of its first member, which must be the index.
 * ERROR_DAMAGED when it is not the tar of an Incus backup, here or while it is
 * read. */
struct stream *inspect_new(
    struct stream *from, struct inspection *ret_inspection, struct error *err);

#endif
