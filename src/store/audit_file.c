#include "store/audit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/wait.h"

/* A line takes a millisecond and an fsync: hundreds of runs get their turn. */
#define LOCK_TIMEOUT_MS 10000
#define LOCK_AGAIN_MS 5

/* How often the file may be moved just before it is locked. */
#define OPEN_TRIES 100

/* Lines have 0.6 KiB. */
#define TAIL_BYTES ((size_t)4 * 1024)

int
audit_file_lock(int fd, bool exclusive, const char *name, struct error *err)
{
	int64_t deadline_ms = clock_now_ms() + LOCK_TIMEOUT_MS;
	int how = (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB;

	/* flock(2) has no deadline of its own. */
	while (flock(fd, how) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_set_errno(
			    err, errno, _("cannot lock '%s'"), name);
		if (clock_left_ms(deadline_ms) == 0)
			return error_set(err, ERROR_LOCKED,
			    _("another run keeps '%s' locked"), name);
		if (wait_ready(-1, 0, LOCK_AGAIN_MS, err) < 0)
			return -1;
	}
	return 0;
}

/* Read all of a range; a file that got shorter is an error. */
static int
read_range(int fd, char *bytes, size_t size, off_t from, struct error *err)
{
	while (size > 0) {
		ssize_t got = pread(fd, bytes, size, from);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(
			    err, errno, "'%s'", AUDIT_FILE_NAME);
		if (got == 0)
			return error_set(err, ERROR_DAMAGED,
			    _("'%s' shrank while it was read"),
			    AUDIT_FILE_NAME);
		bytes += got;
		from += got;
		size -= (size_t)got;
	}
	return 0;
}

/* The last line in the last `size` bytes of a file; NULL when it begins before
 * them. */
static const char *
last_line(const char *tail, size_t size, bool whole_file)
{
	const char *end = memrchr(tail, '\n', size - 1);

	if (end != NULL)
		return end + 1;
	return whole_file ? tail : NULL;
}

int
audit_file_last(int fd, off_t size_bytes, char ret_sha256[DIGEST_TEXT_BYTES],
    bool *ret_torn, struct error *err)
{
	size_t all = (size_t)size_bytes;
	size_t size = TAIL_BYTES;

	*ret_torn = false;
	memcpy(ret_sha256, AUDIT_NOTHING_BEFORE, DIGEST_TEXT_BYTES);
	if (all == 0)
		return 0;
	for (;; size *= 2) {
		auto_free char *tail = malloc(size + 1);
		const char *line;
		size_t taken = size < all ? size : all;

		if (tail == NULL)
			return error_set_memory(err);
		if (read_range(
			fd, tail, taken, size_bytes - (off_t)taken, err) < 0)
			return -1;
		line = last_line(tail, taken, taken == all);
		*ret_torn = tail[taken - 1] != '\n';
		/* One that is not ours; a reader finds that it is too long. */
		if (line == NULL && size > AUDIT_LINE_MAX_BYTES)
			return 0;
		if (line == NULL)
			continue;
		/* A torn line gets its end from whoever comes next. */
		if (*ret_torn)
			tail[taken++] = '\n';
		return digest_bytes(
		    line, taken - (size_t)(line - tail), ret_sha256, err);
	}
}

int
audit_file_before(
    int directory_fd, char ret_sha256[DIGEST_TEXT_BYTES], struct error *err)
{
	auto_close int fd = openat(directory_fd, AUDIT_FILE_BEFORE,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat found;
	bool torn;

	memcpy(ret_sha256, AUDIT_NOTHING_BEFORE, DIGEST_TEXT_BYTES);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return error_set_errno(
		    err, errno, _("cannot open '%s'"), AUDIT_FILE_BEFORE);
	/* A run may have opened it before it was moved here. */
	if (audit_file_lock(fd, false, AUDIT_FILE_BEFORE, err) < 0)
		return -1;
	if (fstat(fd, &found) < 0)
		return error_set_errno(err, errno, "'%s'", AUDIT_FILE_BEFORE);
	if (!S_ISREG(found.st_mode))
		return error_set(err, ERROR_FAILED,
		    _("'%s' is not a regular file"), AUDIT_FILE_BEFORE);
	return audit_file_last(fd, found.st_size, ret_sha256, &torn, err);
}

/* Whether the open file still has its name: logrotate may have moved it. */
static bool
has_its_name(const struct audit_file *file, const struct stat *opened)
{
	struct stat named;

	return fstatat(file->directory_fd, AUDIT_FILE_NAME, &named,
		   AT_SYMLINK_NOFOLLOW) == 0 &&
	       named.st_dev == opened->st_dev && named.st_ino == opened->st_ino;
}

/* Open and lock: 1, or 0 when it was moved meanwhile. */
static int
try_open(struct audit_file *file, mode_t mode, const char *directory,
    struct error *err)
{
	struct stat opened;

	/* O_NONBLOCK: a FIFO must not hold us up. */
	file->fd = openat(file->directory_fd, AUDIT_FILE_NAME,
	    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
		O_NOCTTY,
	    mode);
	if (file->fd < 0 && errno == ELOOP)
		return error_set(err, ERROR_FAILED,
		    _("'%s/%s' is a symbolic link, which is not followed"),
		    directory, AUDIT_FILE_NAME);
	if (file->fd < 0 || fstat(file->fd, &opened) < 0)
		return error_set_errno(err, errno, _("cannot open '%s/%s'"),
		    directory, AUDIT_FILE_NAME);
	if (!S_ISREG(opened.st_mode))
		return error_set(err, ERROR_FAILED,
		    _("'%s/%s' is not a regular file"), directory,
		    AUDIT_FILE_NAME);
	if (audit_file_lock(file->fd, true, AUDIT_FILE_NAME, err) < 0)
		return -1;
	if (!has_its_name(file, &opened)) {
		(void)close(steal_fd(&file->fd));
		return 0;
	}
	if (fstat(file->fd, &opened) < 0)
		return error_set_errno(err, errno, "'%s'", AUDIT_FILE_NAME);
	file->size_bytes = opened.st_size;
	return 1;
}

static int
open_in(struct audit_file *file, mode_t mode, const char *directory,
    struct error *err)
{
	int opened = 0;

	file->directory_fd =
	    open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (file->directory_fd < 0)
		return error_set_errno(
		    err, errno, _("cannot open '%s'"), directory);
	for (int i = 0; opened == 0 && i < OPEN_TRIES; i++)
		opened = try_open(file, mode, directory, err);
	if (opened == 0)
		return error_set(err, ERROR_LOCKED,
		    _("another run keeps '%s' locked"), AUDIT_FILE_NAME);
	if (opened < 0)
		return -1;
	if (file->size_bytes == 0)
		return audit_file_before(
		    file->directory_fd, file->previous, err);
	return audit_file_last(
	    file->fd, file->size_bytes, file->previous, &file->torn, err);
}

int
audit_file_open(const char *directory, mode_t mode, struct audit_file *ret_file,
    struct error *err)
{
	struct audit_file file = {.directory_fd = -1, .fd = -1};

	if (open_in(&file, mode, directory, err) < 0) {
		audit_file_close(&file);
		return -1;
	}
	*ret_file = file;
	return 0;
}

/* One write: a reader sees all of the line or nothing, but on a full disk. */
static int
write_line(const struct audit_file *file, const char *bytes, size_t size,
    struct error *err)
{
	ssize_t written;

	do {
		written = write(file->fd, bytes, size);
	} while (written < 0 && errno == EINTR);
	if (written == (ssize_t)size)
		return 0;
	if (written >= 0)
		errno = ENOSPC;
	error_set_errno(err, errno, _("cannot write '%s'"), AUDIT_FILE_NAME);
	if (written > 0 && ftruncate(file->fd, file->size_bytes) < 0)
		return error_hint(err, _("its last line is not whole"));
	return -1;
}

int
audit_file_append(struct audit_file *file, const char *line, struct error *err)
{
	size_t length = strlen(line);
	auto_free char *bytes = malloc(length + 2);
	size_t size = 0;

	if (bytes == NULL)
		return error_set_memory(err);
	if (file->torn)
		bytes[size++] = '\n';
	memcpy(bytes + size, line, length);
	size += length;
	bytes[size++] = '\n';

	if (write_line(file, bytes, size, err) < 0)
		return -1;
	if (fsync(file->fd) < 0)
		return error_set_errno(
		    err, errno, _("cannot write '%s'"), AUDIT_FILE_NAME);
	/* A name that is new; some file systems have no fsync for it. */
	if (file->size_bytes == 0)
		(void)fsync(file->directory_fd);
	return 0;
}

void
audit_file_close(struct audit_file *file)
{
	if (file->fd >= 0)
		(void)close(file->fd);
	if (file->directory_fd >= 0)
		(void)close(file->directory_fd);
	*file = (struct audit_file){.directory_fd = -1, .fd = -1};
}
