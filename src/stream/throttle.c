#include "stream/throttle.h"

#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "stream/stream.h"

struct throttle {
	struct stream base;
	uint64_t bytes_per_s;
	uint64_t passed_bytes;
	int64_t begun_ms; /* 0 before the first byte */
};

/* Milliseconds that so many bytes take. */
static int64_t
due_ms(const struct throttle *self)
{
	uint64_t whole_s = self->passed_bytes / self->bytes_per_s;
	uint64_t rest = self->passed_bytes % self->bytes_per_s;

	return (int64_t)(whole_s * 1000 + rest * 1000 / self->bytes_per_s);
}

static ssize_t
throttle_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct throttle *self = (struct throttle *)s;
	ssize_t got;

	if (self->begun_ms == 0)
		self->begun_ms = clock_now_ms();
	for (;;) {
		int64_t early_ms =
		    self->begun_ms + due_ms(self) - clock_now_ms();

		if (early_ms <= 0)
			break;
		if (wait_ready(-1, 0,
			early_ms < INT_MAX ? (int)early_ms : INT_MAX, err) < 0)
			return -1;
	}
	/* A second's worth at once would be no limit to what is slow. */
	if (size > self->bytes_per_s)
		size = (size_t)self->bytes_per_s;
	got = stream_read(s->upstream, buf, size, err);
	if (got > 0)
		self->passed_bytes += (uint64_t)got;
	return got;
}

static void
throttle_free(struct stream *s)
{
	free(s);
}

static const struct stream_kind throttle_kind = {
    .name = "throttle",
    .read = throttle_read,
    .free = throttle_free,
};

struct stream *
throttle_new(struct stream *from, uint64_t bytes_per_s, struct error *err)
{
	struct throttle *self;

	if (from == NULL || bytes_per_s == 0)
		return from;
	self = calloc(1, sizeof(*self));
	if (self == NULL) {
		error_set_memory(err);
		return stream_refuse(from);
	}
	self->base.kind = &throttle_kind;
	self->base.upstream = from;
	self->bytes_per_s = bytes_per_s;
	return &self->base;
}
