#include <isa-l/igzip_lib.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/i18n.h"
#include "stream/coder.h"
#include "stream/gzip_coders.h"

/* One step's input is one buffer of coder.c, far below 4 GiB. */

struct deflate_state {
	struct isal_zstream z;
	uint8_t level_buffer[ISAL_DEF_LVL3_LARGE];
};

static enum coder_verdict
deflate_step(void *state, struct coder_io *io, struct error *err)
{
	struct isal_zstream *z = &((struct deflate_state *)state)->z;

	/* ISA-L declares its input without const and only reads it. */
	z->next_in = (uint8_t *)(uintptr_t)io->in;
	z->avail_in = (uint32_t)io->in_left;
	z->next_out = io->out;
	z->avail_out = (uint32_t)io->out_left;
	z->end_of_stream = io->last;
	if (isal_deflate(z) != COMP_OK) {
		error_set(err, ERROR_FAILED, _("cannot compress"));
		return CODER_FAILED;
	}

	io->in = z->next_in;
	io->in_left = z->avail_in;
	io->out_left = z->avail_out;
	return z->internal_state.state == ZSTATE_END ? CODER_DONE : CODER_MORE;
}

static const struct coder deflate_coder = {
    .name = "gzip",
    .step = deflate_step,
    .free_state = free,
};

struct stream *
gzip_isal_new(struct stream *from, int level, struct error *err)
{
	static const uint32_t level_buffer_bytes[] = {
	    0, ISAL_DEF_LVL1_LARGE, ISAL_DEF_LVL2_LARGE, ISAL_DEF_LVL3_LARGE};
	struct deflate_state *state = calloc(1, sizeof(*state));

	if (state != NULL) {
		isal_deflate_init(&state->z);
		state->z.level = (uint32_t)level;
		state->z.level_buf = state->level_buffer;
		state->z.level_buf_size = level_buffer_bytes[level];
		state->z.gzip_flag = IGZIP_GZIP;
		state->z.flush = NO_FLUSH;
	}
	return coder_new(from, &deflate_coder, state, err);
}

struct gunzip_state {
	struct inflate_state z;
	/* isal_inflate() would forget a header that comes in two reads. */
	struct isal_gzip_header header;
};

static enum coder_verdict
inflate_step(void *state, struct coder_io *io, struct error *err)
{
	struct gunzip_state *self = state;
	struct inflate_state *z = &self->z;
	int result = ISAL_DECOMP_OK;

	z->next_in = (uint8_t *)(uintptr_t)io->in;
	z->avail_in = (uint32_t)io->in_left;
	z->next_out = io->out;
	z->avail_out = (uint32_t)io->out_left;
	if (!z->wrapper_flag)
		result = isal_read_gzip_header(z, &self->header);
	if (result == ISAL_DECOMP_OK)
		result = isal_inflate(z);
	if (result < ISAL_DECOMP_OK) {
		error_set(err, ERROR_DAMAGED,
		    _("the gzip stream is damaged (%s)"),
		    result == ISAL_INCORRECT_CHECKSUM ? _("wrong checksum")
						      : _("invalid data"));
		return CODER_FAILED;
	}

	io->in = z->next_in;
	io->in_left = z->avail_in;
	io->out_left = z->avail_out;
	return z->block_state == ISAL_BLOCK_FINISH ? CODER_DONE : CODER_MORE;
}

static const struct coder inflate_coder = {
    .name = "gzip",
    .step = inflate_step,
    .free_state = free,
};

struct stream *
gunzip_isal_new(struct stream *from, struct error *err)
{
	struct gunzip_state *state = calloc(1, sizeof(*state));

	if (state != NULL) {
		isal_inflate_init(&state->z);
		isal_gzip_header_init(&state->header);
		state->z.crc_flag = ISAL_GZIP;
	}
	return coder_new(from, &inflate_coder, state, err);
}
