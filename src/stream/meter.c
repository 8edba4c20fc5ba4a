#include "stream/meter.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "stream/stream.h"

struct meter {
	struct stream base;
	struct meter_watch watch;
	uint64_t total_bytes;
};

static ssize_t
meter_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct meter *self = (struct meter *)s;
	ssize_t got;

	if (interrupt_check(err) < 0)
		return -1;
	got = stream_read(s->upstream, buf, size, err);
	if (got < 0)
		return -1;

	self->total_bytes += (uint64_t)got;
	if (self->watch.advance != NULL)
		self->watch.advance(self->watch.data, self->total_bytes);
	return got;
}

static void
meter_free(struct stream *s)
{
	free(s);
}

static const struct stream_kind meter_kind = {
    .name = "meter",
    .read = meter_read,
    .free = meter_free,
};

struct stream *
meter_new(
    struct stream *from, const struct meter_watch *watch, struct error *err)
{
	struct meter *self;

	if (from == NULL)
		return NULL;
	self = calloc(1, sizeof(*self));
	if (self == NULL) {
		error_set_memory(err);
		return stream_refuse(from);
	}
	self->base.kind = &meter_kind;
	self->base.upstream = from;
	self->watch = *watch;
	return &self->base;
}
