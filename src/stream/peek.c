#include "stream/peek.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "stream/stream.h"

struct peek {
	struct stream base;
	size_t size;
	size_t given;
	unsigned char bytes[PEEK_BYTES];
};

static ssize_t
peek_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct peek *self = (struct peek *)s;
	size_t left = self->size - self->given;

	if (left == 0)
		return stream_read(s->upstream, buf, size, err);
	if (size > left)
		size = left;
	memcpy(buf, self->bytes + self->given, size);
	self->given += size;
	return (ssize_t)size;
}

static void
peek_free(struct stream *s)
{
	free(s);
}

static const struct stream_kind peek_kind = {
    .name = "peek",
    .read = peek_read,
    .free = peek_free,
};

struct stream *
peek_new(struct stream *from, struct error *err)
{
	struct peek *self;
	ssize_t got;

	if (from == NULL)
		return NULL;
	self = calloc(1, sizeof(*self));
	if (self == NULL) {
		error_set_memory(err);
		return stream_refuse(from);
	}
	self->base.kind = &peek_kind;
	self->base.upstream = from;

	got = stream_read_full(from, self->bytes, PEEK_BYTES, err);
	if (got < 0)
		return stream_refuse(&self->base);
	self->size = (size_t)got;
	return &self->base;
}

const unsigned char *
peek_bytes(const struct stream *peek, size_t *ret_size)
{
	const struct peek *self = (const struct peek *)peek;

	*ret_size = self->size;
	return self->bytes;
}
