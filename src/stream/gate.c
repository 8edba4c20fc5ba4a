#include "stream/gate.h"

#include <stdlib.h>

#include "base/error.h"
#include "stream/stream.h"

struct gate {
	struct stream base;
	int (*check)(void *data, struct error *err);
	void *data;
};

static ssize_t
gate_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct gate *self = (struct gate *)s;
	ssize_t got = stream_read(s->upstream, buf, size, err);

	if (got != 0)
		return got;
	return self->check(self->data, err);
}

static void
gate_free(struct stream *s)
{
	free(s);
}

static const struct stream_kind gate_kind = {
    .name = "gate",
    .read = gate_read,
    .free = gate_free,
};

struct stream *
gate_new(struct stream *from, int (*check)(void *data, struct error *err),
    void *data, struct error *err)
{
	struct gate *self;

	if (from == NULL)
		return NULL;
	self = calloc(1, sizeof(*self));
	if (self == NULL) {
		error_set_memory(err);
		return stream_refuse(from);
	}
	self->base.kind = &gate_kind;
	self->base.upstream = from;
	self->check = check;
	self->data = data;
	return &self->base;
}
