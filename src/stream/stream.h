/* stream.h - bytes to be pulled, the one abstraction that carries the product
 *
 * A chain is a source and any number of filters; an end function reads it to 0.
 * A filter owns the stream it wraps, even when its constructor fails, and hands
 * a NULL through with the error already set: a chain is a list of assignments
 * with one check at its end. */

#ifndef ANKLUME_STREAM_STREAM_H
#define ANKLUME_STREAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;
struct stream;

/* What a buffer between two stages holds. 256 KiB is where larger buffers stop
 * paying on gpg's pipes (measured: 1.06 s against 1.25 s with 4 KiB). */
#define STREAM_BUFFER_BYTES (256 * 1024)

/* What one kind of stream can do. Const tables, one per kind. */
struct stream_kind {
	const char *name; /* "download", "gzip": for messages */

	/* Put 1..size bytes in buf and return how many; may block. 0 is the
	 * end, and a promise: everything came, and every length, checksum and
	 * signature agreed. -1 is failure, with err set. */
	ssize_t (*read)(
	    struct stream *s, void *buf, size_t size, struct error *err);

	/* Itself only: stream_free() walks upstream. */
	void (*free)(struct stream *s);
};

/* First member of each concrete stream. */
struct stream {
	const struct stream_kind *kind;
	struct stream *upstream; /* owned; NULL for a source */
	bool failed;		 /* a read failed: nothing more will come */
	bool ended;		 /* a read returned 0 */
};

/* Read as described above. After an end it returns 0 again; after a failure it
 * fails again, with the error set when err is clear. */
ssize_t stream_read(
    struct stream *s, void *buf, size_t size, struct error *err);

/* Read until `size` bytes came or the end: fewer mean the end. -1 on failure.
 */
ssize_t stream_read_full(
    struct stream *s, void *buf, size_t size, struct error *err);

/* Read `s` (borrowed) to its end into a descriptor (borrowed); `name` is for
 * messages. Not all or nothing: for pipes. */
int stream_write_fd(struct stream *s, int fd, const char *name,
    uint64_t *ret_size_bytes, struct error *err);

/* Free it and everything upstream; NULL is fine. */
void stream_free(struct stream *s);

/* For constructors: free `from` and return NULL after a failure. */
struct stream *stream_refuse(struct stream *from);

/* A source over a descriptor, which it owns. `name` (borrowed) is for messages.
 * The end of the file is the end: what a cut file means is for the filters. */
struct stream *stream_fd_new(int fd, const char *name, struct error *err);

/* A source over memory that stays the caller's. */
struct stream *stream_memory_new(
    const void *bytes, size_t size, struct error *err);

static inline void
auto_stream_cleanup(struct stream **s)
{
	stream_free(*s);
}

/* An owning local. */
#define auto_stream __attribute__((cleanup(auto_stream_cleanup)))

#endif
