#include "store/local_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "stream/stream.h"

struct local_reader {
	struct stream base;
	int fd;
	const char *path;
	bool by_name; /* which must still be this file's at its end */
	struct stat at_open;
	uint64_t read_bytes;
	bool *ret_grew;
};

static int
shrank(const char *path, struct error *err)
{
	return error_set(
	    err, ERROR_FAILED, _("'%s' shrank while it was read"), path);
}

/* read(2) again after a signal that was not for us. */
static ssize_t
read_some(
    const struct local_reader *self, void *buf, size_t size, struct error *err)
{
	ssize_t got;

	do {
		got = read(self->fd, buf, size);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_set_errno(
		    err, errno, _("cannot read '%s'"), self->path);
	return got;
}

/* All was read: ask whether it still is what it was. */
static int
check_end(const struct local_reader *self, struct error *err)
{
	char beyond;
	ssize_t more = read_some(self, &beyond, 1, err);
	struct stat now;
	struct stat named;

	if (more < 0)
		return -1;
	if (fstat(self->fd, &now) < 0)
		return error_set_errno(
		    err, errno, _("cannot read '%s'"), self->path);
	if (now.st_size < self->at_open.st_size)
		return shrank(self->path, err);
	if (self->by_name &&
	    (stat(self->path, &named) < 0 || named.st_ino != now.st_ino ||
		named.st_dev != now.st_dev))
		return error_set(err, ERROR_FAILED,
		    _("'%s' was replaced while it was read"), self->path);
	if (more > 0 && now.st_size == self->at_open.st_size)
		return error_set(err, ERROR_FAILED,
		    _("'%s' holds more than its size says: not a file on a "
		      "disk"),
		    self->path);
	*self->ret_grew = now.st_size > self->at_open.st_size;
	return 0;
}

static ssize_t
local_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct local_reader *self = (struct local_reader *)s;
	uint64_t left = (uint64_t)self->at_open.st_size - self->read_bytes;
	ssize_t got;

	if (left == 0)
		return check_end(self, err);
	if (size > left)
		size = (size_t)left;
	got = read_some(self, buf, size, err);
	if (got <= 0)
		return got < 0 ? -1 : shrank(self->path, err);
	self->read_bytes += (uint64_t)got;
	return got;
}

static void
local_free(struct stream *s)
{
	struct local_reader *self = (struct local_reader *)s;

	(void)close(self->fd);
	free(self);
}

static const struct stream_kind local_kind = {
    .name = "file",
    .read = local_read,
    .free = local_free,
};

static int
check_regular(const char *path, const struct stat *found, struct error *err)
{
	if (S_ISREG(found->st_mode))
		return 0;
	if (S_ISDIR(found->st_mode)) {
		error_set(err, ERROR_USAGE,
		    _("'%s' is a directory, not a regular file"), path);
		return error_hint(err, _("-r copies directories"));
	}
	return error_set(err, ERROR_FAILED,
	    _("'%s' is not a regular file (a FIFO, socket or device)"), path);
}

static struct local_reader *
reader_new(int fd, const char *path, struct local_attributes *ret_attributes,
    bool *ret_grew, struct error *err)
{
	auto_close int owned = fd;
	struct local_reader *self;
	struct stat found;

	if (fstat(fd, &found) < 0) {
		error_set_errno(err, errno, _("cannot open '%s'"), path);
		return NULL;
	}
	if (check_regular(path, &found, err) < 0)
		return NULL;
	self = calloc(1, sizeof(*self));
	if (self == NULL) {
		error_set_memory(err);
		return NULL;
	}
	self->base.kind = &local_kind;
	self->fd = steal_fd(&owned);
	self->path = path;
	self->at_open = found;
	self->ret_grew = ret_grew;
	*ret_attributes = (struct local_attributes){
	    .size_bytes = (uint64_t)found.st_size,
	    .mode = found.st_mode & 07777U,
	    .mtime_s = found.st_mtim.tv_sec,
	};
	return self;
}

struct stream *
local_file_open_fd(int fd, const char *path,
    struct local_attributes *ret_attributes, bool *ret_grew, struct error *err)
{
	struct local_reader *self =
	    reader_new(fd, path, ret_attributes, ret_grew, err);

	return self != NULL ? &self->base : NULL;
}

struct stream *
local_file_open(const char *path, struct local_attributes *ret_attributes,
    bool *ret_grew, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct local_reader *self;

	if (fd < 0) {
		if (errno == ENOENT)
			error_set(err, ERROR_NOT_FOUND,
			    _("'%s': no such file or directory"), path);
		else
			error_set_errno(
			    err, errno, _("cannot open '%s'"), path);
		return NULL;
	}
	self = reader_new(fd, path, ret_attributes, ret_grew, err);
	if (self == NULL)
		return NULL;
	self->by_name = true;
	return &self->base;
}

bool
local_is_directory(const char *path)
{
	struct stat found;

	if (stat(path, &found) < 0)
		return false;
	errno = ENOTDIR;
	return S_ISDIR(found.st_mode);
}

int
local_make_directories(const char *path, struct error *err)
{
	auto_free char *partial = text_copy(path, strlen(path), err);

	if (partial == NULL)
		return -1;
	for (char *end = partial; *end != '\0';) {
		char kept;

		end += strspn(end, "/");
		end += strcspn(end, "/");
		kept = *end;
		*end = '\0';
		if (mkdir(partial, 0777) < 0 && errno != EEXIST)
			return error_set_errno(
			    err, errno, _("cannot make '%s'"), partial);
		*end = kept;
	}
	return 0;
}
