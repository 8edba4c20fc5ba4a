/* coder.h - the filter around a compressor or a decompressor
 *
 * The coders of gzip and zstd only say how one step is done; buffers, the end
 * of the input and the promise of the end are kept here. */

#ifndef ANKLUME_STREAM_CODER_H
#define ANKLUME_STREAM_CODER_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct stream;

/* What one step may take and give; the step advances the fields. */
struct coder_io {
	const unsigned char *in;
	size_t in_left;
	unsigned char *out;
	size_t out_left;
	bool last; /* nothing will follow `in` */
};

enum coder_verdict {
	CODER_FAILED = -1, /* err is set */
	CODER_MORE = 0,
	CODER_DONE = 1, /* all is written, and all checksums agreed */
};

struct coder {
	const char *name; /* "gzip": for messages */
	enum coder_verdict (*step)(
	    void *state, struct coder_io *io, struct error *err);
	void (*free_state)(void *state);
};

/* Wrap `from`. Takes `state` over, even on failure; a NULL state is out of
 * memory. An input that goes on after CODER_DONE, or ends before it, is
 * ERROR_DAMAGED. */
struct stream *coder_new(struct stream *from, const struct coder *coder,
    void *state, struct error *err);

#endif
