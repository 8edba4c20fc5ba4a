#include "stream/stream.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/wait.h"

ssize_t
stream_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	ssize_t got;

	assert(size > 0);

	if (s->ended)
		return 0;
	if (s->failed) {
		if (!error_is_set(err))
			error_set(err, ERROR_FAILED,
			    _("the %s has failed before"), s->kind->name);
		return -1;
	}

	got = s->kind->read(s, buf, size, err);
	assert(got <= (ssize_t)size);
	assert((got < 0) == error_is_set(err));
	s->ended = got == 0;
	s->failed = got < 0;
	return got;
}

ssize_t
stream_read_full(struct stream *s, void *buf, size_t size, struct error *err)
{
	size_t filled = 0;

	while (filled < size) {
		ssize_t got =
		    stream_read(s, (char *)buf + filled, size - filled, err);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		filled += (size_t)got;
	}
	return (ssize_t)filled;
}

int
stream_write_fd(struct stream *s, int fd, const char *name,
    uint64_t *ret_size_bytes, struct error *err)
{
	auto_free char *buffer = malloc(STREAM_BUFFER_BYTES);
	uint64_t total = 0;
	ssize_t got;

	if (buffer == NULL)
		return error_set_memory(err);
	while ((got = stream_read(s, buffer, STREAM_BUFFER_BYTES, err)) > 0) {
		if (wait_write_all(fd, buffer, (size_t)got, name, err) < 0)
			return -1;
		total += (uint64_t)got;
	}
	if (got < 0)
		return -1;
	*ret_size_bytes = total;
	return 0;
}

void
stream_free(struct stream *s)
{
	while (s != NULL) {
		struct stream *upstream = s->upstream;

		s->kind->free(s);
		s = upstream;
	}
}

struct stream *
stream_refuse(struct stream *from)
{
	stream_free(from);
	return NULL;
}

struct fd_stream {
	struct stream base;
	int fd;
	const char *name;
};

static ssize_t
fd_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct fd_stream *self = (struct fd_stream *)s;

	for (;;) {
		ssize_t got;

		/* A pipe may stay silent: the wait hears an interruption. */
		if (wait_ready(self->fd, POLLIN, -1, err) < 0)
			return -1;
		got = read(self->fd, buf, size);
		if (got >= 0)
			return got;
		if (errno != EINTR && errno != EAGAIN)
			return error_set_errno(
			    err, errno, _("cannot read '%s'"), self->name);
	}
}

static void
fd_free(struct stream *s)
{
	struct fd_stream *self = (struct fd_stream *)s;

	(void)close(self->fd);
	free(self);
}

static const struct stream_kind fd_kind = {
    .name = "file",
    .read = fd_read,
    .free = fd_free,
};

struct stream *
stream_fd_new(int fd, const char *name, struct error *err)
{
	struct fd_stream *self = calloc(1, sizeof(*self));

	if (self == NULL) {
		(void)close(fd);
		error_set_memory(err);
		return NULL;
	}
	self->base.kind = &fd_kind;
	self->fd = fd;
	self->name = name;
	return &self->base;
}

struct memory_stream {
	struct stream base;
	const char *next;
	size_t left;
};

static ssize_t
memory_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct memory_stream *self = (struct memory_stream *)s;
	size_t count = size < self->left ? size : self->left;

	(void)err;
	memcpy(buf, self->next, count);
	self->next += count;
	self->left -= count;
	return (ssize_t)count;
}

static void
memory_free(struct stream *s)
{
	free(s);
}

static const struct stream_kind memory_kind = {
    .name = "memory",
    .read = memory_read,
    .free = memory_free,
};

struct stream *
stream_memory_new(const void *bytes, size_t size, struct error *err)
{
	struct memory_stream *self = calloc(1, sizeof(*self));

	if (self == NULL) {
		error_set_memory(err);
		return NULL;
	}
	self->base.kind = &memory_kind;
	self->next = size > 0 ? bytes : "";
	self->left = size;
	return &self->base;
}
