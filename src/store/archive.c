#include "store/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/wait.h"
#include "store/manifest.h"
#include "store/publication.h"
#include "stream/stream.h"

/* The kernel is asked to write back behind us in steps of this size, so that
 * the fsync at the end finds little to do. */
#define WRITE_BACK_BYTES (8 * 1024 * 1024)

/* What stands in a name as it is; all else, "%" and "+" too, as "%XX". */
static const char plain_characters[] = "abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789._-";

char *
archive_name(const char *stem, time_t when, enum compression_kind compression,
    bool encrypted, struct error *err)
{
	char stamp[CLOCK_TEXT_BYTES];

	return text_format(err, "%s-%s%s%s", stem,
	    clock_local_stamp(stamp, when), compression_suffix(compression),
	    encrypted ? ".gpg" : "");
}

/* Returns the end of what was written: at most three bytes for each of `text`.
 */
static char *
put_encoded(char *at, const char *text, bool begins)
{
	static const char digits[] = "0123456789ABCDEF";

	for (const char *c = text; *c != '\0'; c++) {
		/* Hidden files are no archives. */
		bool hides = begins && c == text && *c == '.';

		if (!hides && strchr(plain_characters, *c) != NULL) {
			*at++ = *c;
			continue;
		}
		*at++ = '%';
		*at++ = digits[(unsigned char)*c >> 4];
		*at++ = digits[(unsigned char)*c & 0xf];
	}
	return at;
}

char *
archive_volume_stem(const char *pool, const char *volume, struct error *err)
{
	char *stem = calloc(3, strlen(pool) + strlen(volume) + 1);
	char *at;

	if (stem == NULL) {
		error_set_memory(err);
		return NULL;
	}
	at = put_encoded(stem, pool, true);
	*at++ = '+';
	(void)put_encoded(at, volume, false);
	return stem;
}

static int
check_writable(const char *directory, struct error *err)
{
	if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) < 0)
		return error_set_errno(
		    err, errno, _("cannot write in '%s'"), directory);
	return 0;
}

static int
refuse_missing(const char *directory, struct error *err)
{
	error_set(err, ERROR_NO_DIRECTORY,
	    _("the directory '%s' does not exist"), directory);
	return error_hint_command(err, "mkdir", "-p", directory, NULL);
}

int
archive_check_directory(const char *directory, bool may_make, struct error *err)
{
	auto_free char *copy = text_copy(directory, strlen(directory), err);
	const char *parent;
	struct stat found;
	bool there;

	if (copy == NULL)
		return -1;
	/* Looked at once: another job may be making it. */
	there = stat(directory, &found) == 0;
	if (there && S_ISDIR(found.st_mode))
		return check_writable(directory, err);
	if (there || errno == ENOTDIR)
		return error_set(err, ERROR_NO_DIRECTORY,
		    _("'%s' is not a directory"), directory);
	if (errno != ENOENT)
		return error_set_errno(
		    err, errno, _("cannot open '%s'"), directory);

	parent = dirname(copy);
	if (!may_make || stat(parent, &found) < 0)
		return refuse_missing(directory, err);
	return check_writable(parent, err);
}

int
archive_make_directory(const char *directory, struct error *err)
{
	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return error_set_errno(
		    err, errno, _("cannot make '%s'"), directory);
	return 0;
}

int
archive_check_same_directory(
    const char *directory, const struct stat *found, struct error *err)
{
	struct stat now;

	if (stat(directory, &now) == 0 && now.st_dev == found->st_dev &&
	    now.st_ino == found->st_ino)
		return 0;
	return error_set(err, ERROR_NO_DIRECTORY,
	    _("'%s' is not the directory any more that it was: was its disk "
	      "taken off?"),
	    directory);
}

int
archive_exists(const char *directory, const char *name, struct error *err)
{
	auto_free char *path = text_format(err, "%s/%s", directory, name);
	struct stat found;

	if (path == NULL)
		return -1;
	if (lstat(path, &found) == 0)
		return 1;
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	return error_set_errno(err, errno, _("cannot look at '%s'"), path);
}

static int
write_all(int fd, struct stream *from, const char *name, struct error *err)
{
	auto_free char *buffer = malloc(STREAM_BUFFER_BYTES);
	off64_t written = 0;
	off64_t written_back = 0;
	ssize_t got;

	if (buffer == NULL)
		return error_set_memory(err);
	while (
	    (got = stream_read(from, buffer, STREAM_BUFFER_BYTES, err)) > 0) {
		if (wait_write_all(fd, buffer, (size_t)got, name, err) < 0)
			return -1;
		written += got;
		if (written - written_back < WRITE_BACK_BYTES)
			continue;
		/* Only a hint: fsync tells of failures. */
		(void)sync_file_range(fd, written_back, written - written_back,
		    SYNC_FILE_RANGE_WRITE);
		written_back = written;
	}
	return got < 0 ? -1 : 0;
}

int
archive_save(const char *directory, const char *name, bool force,
    struct stream *from, struct error *err)
{
	auto_free char *path = text_format(err, "%s/%s", directory, name);
	auto_publication struct publication *file = NULL;
	int fd;

	if (path == NULL)
		return -1;
	file = publication_new(directory, err);
	if (file == NULL)
		return -1;
	fd = publication_fd(file);
	if (write_all(fd, from, path, err) < 0) {
		if (err->code == ERROR_NO_SPACE)
			error_hint(err,
			    _("there was room for %lld bytes of it"),
			    (long long)lseek(fd, 0, SEEK_CUR));
		return -1;
	}
	/* The older one's manifest must never stand beside the new archive, nor
	 * go before the new one is whole. */
	if (force && manifest_remove(directory, name, err) < 0)
		return -1;
	return publication_commit(file, name, force, err);
}

int
archive_remove(const char *path, struct error *err)
{
	auto_free char *copy = text_copy(path, strlen(path), err);
	char *slash;

	if (copy == NULL)
		return -1;
	if (unlink(path) < 0)
		return error_set_errno(
		    err, errno, _("cannot remove '%s'"), path);
	slash = strrchr(copy, '/');
	if (slash == NULL)
		return manifest_remove(".", path, err);
	*slash = '\0';
	return manifest_remove(slash == copy ? "/" : copy, slash + 1, err);
}

struct stream *
archive_open(const char *path, uint64_t *ret_size_bytes, struct error *err)
{
	struct stat found;
	int fd;

	*ret_size_bytes = 0;
	if (strcmp(path, "-") == 0) {
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		if (fd < 0) {
			error_set_errno(err, errno, _("standard input"));
			return NULL;
		}
		return stream_fd_new(fd, "-", err);
	}

	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		if (errno == ENOENT)
			error_set(err, ERROR_NOT_FOUND, _("no such file: '%s'"),
			    path);
		else
			error_set_errno(
			    err, errno, _("cannot open '%s'"), path);
		return NULL;
	}
	if (fstat(fd, &found) < 0 || !S_ISREG(found.st_mode)) {
		(void)close(fd);
		error_set(
		    err, ERROR_FAILED, _("'%s' is not a regular file"), path);
		return NULL;
	}
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	*ret_size_bytes = (uint64_t)found.st_size;
	return stream_fd_new(fd, path, err);
}
