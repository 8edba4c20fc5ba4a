/* peek.h - a filter that shows the first bytes of a stream before they are read
 */

#ifndef ANKLUME_STREAM_PEEK_H
#define ANKLUME_STREAM_PEEK_H

#include <stddef.h>

struct error;
struct stream;

/* Enough for the magic of a tar (257 + 8, POSIX ustar) and of anything else. */
#define PEEK_BYTES 512

/* Reads up to PEEK_BYTES of `from` at once; they are handed out again by the
 * reads that follow. */
struct stream *peek_new(struct stream *from, struct error *err);

/* The bytes seen, borrowed from a stream made by peek_new(). */
const unsigned char *peek_bytes(const struct stream *peek, size_t *ret_size);

#endif
