#include "store/local_body.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/wait.h"
#include "base/zeros.h"
#include "stream/stream.h"

/* Zeros are looked for at both ends of so much (as sftp_writer.c does). */
#define CHUNK_BYTES ((size_t)128 * 1024)

struct body {
	int fd;
	const char *name;
	uint64_t size_bytes; /* of what has been put, holes included */
	bool ends_in_hole;
};

static int
skip(struct body *self, size_t size, struct error *err)
{
	if (size == 0 || lseek(self->fd, (off_t)size, SEEK_CUR) >= 0)
		return 0;
	return error_set_errno(err, errno, _("cannot write '%s'"), self->name);
}

static int
put(struct body *self, const unsigned char *bytes, size_t size,
    struct error *err)
{
	size_t offset;
	size_t count = zeros_trim(bytes, size, &offset);

	if (skip(self, offset, err) < 0 ||
	    (count > 0 && wait_write_all(self->fd, bytes + offset, count,
			      self->name, err) < 0) ||
	    skip(self, size - offset - count, err) < 0)
		return -1;
	self->size_bytes += size;
	self->ends_in_hole = offset + count < size || count == 0;
	return 0;
}

static int
finish(struct body *self, struct error *err)
{
	if (!self->ends_in_hole ||
	    ftruncate(self->fd, (off_t)self->size_bytes) == 0)
		return 0;
	return error_set_errno(err, errno, _("cannot write '%s'"), self->name);
}

int
local_body_stream(int fd, struct stream *body, const char *name,
    uint64_t *ret_size_bytes, struct error *err)
{
	struct body self = {.fd = fd, .name = name};
	auto_free unsigned char *buffer = malloc(CHUNK_BYTES);
	ssize_t got;

	if (buffer == NULL)
		return error_set_memory(err);
	while ((got = stream_read_full(body, buffer, CHUNK_BYTES, err)) > 0) {
		if (put(&self, buffer, (size_t)got, err) < 0)
			return -1;
	}
	if (got < 0 || finish(&self, err) < 0)
		return -1;
	*ret_size_bytes = self.size_bytes;
	return 0;
}

int
local_body_write(
    int fd, const void *bytes, size_t size, const char *name, struct error *err)
{
	struct body self = {.fd = fd, .name = name};
	const unsigned char *next = bytes;

	while (size > 0) {
		size_t count = size < CHUNK_BYTES ? size : CHUNK_BYTES;

		if (put(&self, next, count, err) < 0)
			return -1;
		next += count;
		size -= count;
	}
	return finish(&self, err);
}
