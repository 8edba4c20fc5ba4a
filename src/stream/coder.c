#include "stream/coder.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/i18n.h"
#include "stream/stream.h"

struct coder_stream {
	struct stream base;
	const struct coder *coder;
	void *state;
	bool done;
	struct coder_io io;
	unsigned char buffer[STREAM_BUFFER_BYTES];
};

static int
refill(struct coder_stream *self, struct error *err)
{
	ssize_t got;

	if (self->io.in_left > 0 || self->io.last)
		return 0;
	got = stream_read(
	    self->base.upstream, self->buffer, sizeof(self->buffer), err);
	if (got < 0)
		return -1;
	self->io.in = self->buffer;
	self->io.in_left = (size_t)got;
	self->io.last = got == 0;
	return 0;
}

/* The coder is content: nothing may follow in its input. */
static ssize_t
check_end(struct coder_stream *self, struct error *err)
{
	if (refill(self, err) < 0)
		return -1;
	if (self->io.in_left > 0)
		return error_set(err, ERROR_DAMAGED,
		    _("there is data after the end of the %s stream"),
		    self->coder->name);
	return 0;
}

static ssize_t
coder_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct coder_stream *self = (struct coder_stream *)s;

	while (!self->done) {
		enum coder_verdict verdict;
		size_t in_before;

		if (refill(self, err) < 0)
			return -1;
		in_before = self->io.in_left;
		self->io.out = buf;
		self->io.out_left = size;
		verdict = self->coder->step(self->state, &self->io, err);
		if (verdict == CODER_FAILED)
			return -1;

		self->done = verdict == CODER_DONE;
		if (self->io.out_left < size)
			return (ssize_t)(size - self->io.out_left);
		if (verdict == CODER_MORE && self->io.last &&
		    self->io.in_left == in_before)
			return error_set(err, ERROR_DAMAGED,
			    _("the %s stream is cut short"), self->coder->name);
	}
	return check_end(self, err);
}

static void
coder_free(struct stream *s)
{
	struct coder_stream *self = (struct coder_stream *)s;

	self->coder->free_state(self->state);
	free(self);
}

static const struct stream_kind coder_kind = {
    .name = "coder",
    .read = coder_read,
    .free = coder_free,
};

struct stream *
coder_new(struct stream *from, const struct coder *coder, void *state,
    struct error *err)
{
	struct coder_stream *self = calloc(1, sizeof(*self));

	if (self == NULL || state == NULL) {
		free(self);
		if (state != NULL)
			coder->free_state(state);
		error_set_memory(err);
		return stream_refuse(from);
	}
	self->base.kind = &coder_kind;
	self->base.upstream = from;
	self->coder = coder;
	self->state = state;
	return &self->base;
}
