#include "stream/zstd.h"

#include <zstd.h>

#include "base/error.h"
#include "base/i18n.h"
#include "stream/coder.h"

/* log2 of the window (zstd.h, ZSTD_WINDOWLOG_LIMIT_DEFAULT). */
#define WINDOW_LOG_MAX 27

static enum coder_verdict
compress_step(void *state, struct coder_io *io, struct error *err)
{
	ZSTD_inBuffer in = {.src = io->in, .size = io->in_left};
	ZSTD_outBuffer out = {.dst = io->out, .size = io->out_left};
	size_t left = ZSTD_compressStream2(
	    state, &out, &in, io->last ? ZSTD_e_end : ZSTD_e_continue);

	if (ZSTD_isError(left)) {
		error_set(err, ERROR_FAILED, _("cannot compress: %s"),
		    ZSTD_getErrorName(left));
		return CODER_FAILED;
	}
	io->in += in.pos;
	io->in_left -= in.pos;
	io->out_left -= out.pos;
	if (io->last && left == 0)
		return CODER_DONE;
	return CODER_MORE;
}

static void
compress_free(void *state)
{
	(void)ZSTD_freeCCtx(state);
}

static const struct coder compress_coder = {
    .name = "zstd",
    .step = compress_step,
    .free_state = compress_free,
};

struct stream *
zstd_new(struct stream *from, int level, struct error *err)
{
	ZSTD_CCtx *state;

	if (from == NULL)
		return NULL;
	state = ZSTD_createCCtx();
	if (state != NULL) {
		(void)ZSTD_CCtx_setParameter(
		    state, ZSTD_c_compressionLevel, level);
		(void)ZSTD_CCtx_setParameter(state, ZSTD_c_checksumFlag, 1);
	}
	return coder_new(from, &compress_coder, state, err);
}

static enum coder_verdict
decompress_step(void *state, struct coder_io *io, struct error *err)
{
	ZSTD_inBuffer in = {.src = io->in, .size = io->in_left};
	ZSTD_outBuffer out = {.dst = io->out, .size = io->out_left};
	size_t left;

	left = ZSTD_decompressStream(state, &out, &in);
	if (ZSTD_isError(left)) {
		error_set(err, ERROR_DAMAGED,
		    _("the zstd stream is damaged (%s)"),
		    ZSTD_getErrorName(left));
		return CODER_FAILED;
	}
	io->in += in.pos;
	io->in_left -= in.pos;
	io->out_left -= out.pos;
	return left == 0 ? CODER_DONE : CODER_MORE;
}

static void
decompress_free(void *state)
{
	(void)ZSTD_freeDCtx(state);
}

static const struct coder decompress_coder = {
    .name = "zstd",
    .step = decompress_step,
    .free_state = decompress_free,
};

struct stream *
unzstd_new(struct stream *from, struct error *err)
{
	ZSTD_DCtx *state;

	if (from == NULL)
		return NULL;
	state = ZSTD_createDCtx();
	if (state != NULL)
		(void)ZSTD_DCtx_setParameter(
		    state, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return coder_new(from, &decompress_coder, state, err);
}
