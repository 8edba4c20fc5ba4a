#include "store/local_body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/wait.h"
#include "base/zeros.h"
#include "stream/digest.h"
#include "stream/stream.h"

/* Zeros are looked for at both ends of so much. */
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

int
local_body_check(
    int fd, const struct digest *sent, const char *name, struct error *err)
{
	auto_close int again = -1;

	if (sent == NULL)
		return 0;
	/* What is clean can be dropped from memory: then the disk is read. */
	if (fdatasync(fd) < 0)
		return error_set_errno(
		    err, errno, _("cannot write '%s'"), name);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	again = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (again < 0 || lseek(again, 0, SEEK_SET) < 0)
		return error_set_errno(err, errno, _("cannot read '%s'"), name);
	return digest_check(
	    stream_fd_new(steal_fd(&again), name, err), sent, name, err);
}

int
local_body_replace(int fd, struct stream *body, const struct digest *sent,
    const char *name, uint64_t *ret_size_bytes, struct error *err)
{
	struct stat found;

	if (fstat(fd, &found) < 0)
		return error_set_errno(
		    err, errno, _("cannot write '%s'"), name);
	if (!S_ISREG(found.st_mode))
		return error_set(err, ERROR_EXISTS,
		    _("'%s' exists and is not a regular file"), name);
	if (ftruncate(fd, 0) < 0)
		return error_set_errno(
		    err, errno, _("cannot write '%s'"), name);
	if (local_body_stream(fd, body, name, ret_size_bytes, err) == 0 &&
	    local_body_check(fd, sent, name, err) == 0)
		return 0;
	return error_hint(err, _("'%s' is incomplete now"), name);
}
