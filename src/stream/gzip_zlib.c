#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/error.h"
#include "base/i18n.h"
#include "stream/coder.h"
#include "stream/gzip_coders.h"

/* zlib.h, deflateInit2: the largest window, plus 16 for a gzip wrapper. */
#define GZIP_WINDOW_BITS (15 + 16)

/* zlib.h: the default. */
#define GZIP_MEMORY_LEVEL 8

static void
load(z_stream *z, const struct coder_io *io)
{
	/* Without ZLIB_CONST it is not const, and only read. */
	z->next_in = (Bytef *)(uintptr_t)io->in;
	z->avail_in = (uInt)io->in_left;
	z->next_out = io->out;
	z->avail_out = (uInt)io->out_left;
}

static void
store(const z_stream *z, struct coder_io *io)
{
	io->in = z->next_in;
	io->in_left = z->avail_in;
	io->out_left = z->avail_out;
}

static enum coder_verdict
deflate_step(void *state, struct coder_io *io, struct error *err)
{
	z_stream *z = state;
	int result;

	load(z, io);
	result = deflate(z, io->last ? Z_FINISH : Z_NO_FLUSH);
	store(z, io);
	if (result == Z_STREAM_END)
		return CODER_DONE;
	if (result == Z_OK || result == Z_BUF_ERROR)
		return CODER_MORE;
	error_set(err, ERROR_FAILED, _("cannot compress"));
	return CODER_FAILED;
}

static void
deflate_free(void *state)
{
	(void)deflateEnd(state);
	free(state);
}

static const struct coder deflate_coder = {
    .name = "gzip",
    .step = deflate_step,
    .free_state = deflate_free,
};

struct stream *
gzip_zlib_new(struct stream *from, int level, struct error *err)
{
	z_stream *state = calloc(1, sizeof(*state));

	if (state != NULL &&
	    deflateInit2(state, level, Z_DEFLATED, GZIP_WINDOW_BITS,
		GZIP_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(state);
		state = NULL;
	}
	return coder_new(from, &deflate_coder, state, err);
}

static enum coder_verdict
inflate_step(void *state, struct coder_io *io, struct error *err)
{
	z_stream *z = state;
	int result;

	load(z, io);
	result = inflate(z, Z_NO_FLUSH);
	store(z, io);
	if (result == Z_STREAM_END)
		return CODER_DONE;
	if (result == Z_OK || result == Z_BUF_ERROR)
		return CODER_MORE;
	error_set(err, ERROR_DAMAGED, _("the gzip stream is damaged (%s)"),
	    z->msg != NULL ? z->msg : _("invalid data"));
	return CODER_FAILED;
}

static void
inflate_free(void *state)
{
	(void)inflateEnd(state);
	free(state);
}

static const struct coder inflate_coder = {
    .name = "gzip",
    .step = inflate_step,
    .free_state = inflate_free,
};

struct stream *
gunzip_zlib_new(struct stream *from, struct error *err)
{
	z_stream *state = calloc(1, sizeof(*state));

	if (state != NULL && inflateInit2(state, GZIP_WINDOW_BITS) != Z_OK) {
		free(state);
		state = NULL;
	}
	return coder_new(from, &inflate_coder, state, err);
}
