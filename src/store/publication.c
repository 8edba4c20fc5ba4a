#include "store/publication.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "stream/digest.h"

#define TEMPORARY_NAME_BYTES 64

/* A name that was reserved so long ago was left by a kill. */
#define RESERVATION_OLD_S 60

struct publication {
	char *directory; /* for messages */
	int directory_fd;
	int fd;
	char temporary[TEMPORARY_NAME_BYTES]; /* "" while it has no name */
};

static int
open_exclusive(int dir, const char *name)
{
	return openat(dir, name,
	    O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int
name_temporary(struct publication *self, struct error *err)
{
	char random[33];

	if (text_random_hex(random, 32, err) < 0)
		return -1;
	(void)snprintf(self->temporary, sizeof(self->temporary),
	    ".anklume-%s.part", random);
	return 0;
}

static int
open_file(struct publication *self, struct error *err)
{
	self->fd = openat(
	    self->directory_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (self->fd >= 0)
		return 0;

	/* vfat, FUSE and others have no O_TMPFILE. */
	if (name_temporary(self, err) < 0)
		return -1;
	self->fd = open_exclusive(self->directory_fd, self->temporary);
	if (self->fd < 0) {
		self->temporary[0] = '\0';
		return error_set_errno(
		    err, errno, _("cannot write in '%s'"), self->directory);
	}
	return 0;
}

struct publication *
publication_new_in(int directory_fd, const char *directory, struct error *err)
{
	struct publication *self = calloc(1, sizeof(*self));

	if (self == NULL) {
		(void)close(directory_fd);
		error_set_memory(err);
		return NULL;
	}
	self->fd = -1;
	self->directory_fd = directory_fd;
	self->directory = text_copy(directory, strlen(directory), err);
	if (self->directory == NULL || open_file(self, err) < 0) {
		publication_free(self);
		return NULL;
	}
	return self;
}

struct publication *
publication_new(const char *directory, struct error *err)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return publication_new_in(fd, directory, err);
	if (errno == ENOENT || errno == ENOTDIR)
		error_set(err, ERROR_NO_DIRECTORY,
		    _("the directory '%s' does not exist"), directory);
	else
		error_set_errno(err, errno, _("cannot open '%s'"), directory);
	return NULL;
}

int
publication_fd(const struct publication *publication)
{
	return publication->fd;
}

void
publication_free(struct publication *publication)
{
	if (publication == NULL)
		return;
	if (publication->temporary[0] != '\0')
		(void)unlinkat(
		    publication->directory_fd, publication->temporary, 0);
	if (publication->fd >= 0)
		(void)close(publication->fd);
	if (publication->directory_fd >= 0)
		(void)close(publication->directory_fd);
	free(publication->directory);
	free(publication);
}

int
publication_set_mode(int fd, mode_t mode, const char *name, struct error *err)
{
	/* vfat: EPERM; FUSE and others: the rest. */
	if (fchmod(fd, mode) == 0 || errno == EPERM || errno == ENOSYS ||
	    errno == EOPNOTSUPP)
		return 0;
	return error_set_errno(
	    err, errno, _("cannot set the mode of '%s'"), name);
}

/* Give an unnamed file a name. */
static int
link_unnamed(const struct publication *self, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	if (linkat(AT_FDCWD, path, self->directory_fd, name,
		AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	/* Without /proc; needs CAP_DAC_READ_SEARCH: open(2). */
	return linkat(self->fd, "", self->directory_fd, name, AT_EMPTY_PATH);
}

/* A temporary name that is made of the final one: whoever has it may give that.
 */
static int
name_reservation(const char *name, char reservation[TEMPORARY_NAME_BYTES])
{
	char sha256[DIGEST_TEXT_BYTES];
	struct error ignored = {0};

	if (digest_bytes(name, strlen(name), sha256, &ignored) < 0) {
		errno = EIO;
		return -1;
	}
	(void)snprintf(
	    reservation, TEMPORARY_NAME_BYTES, ".anklume-%.32s.part", sha256);
	return 0;
}

static int
rename_unless_taken(const struct publication *self, const char *name)
{
	int dir = self->directory_fd;
	struct stat there;

	if (fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	if (errno != ENOENT)
		return -1;
	return renameat(dir, self->temporary, dir, name);
}

/* Nobody holds one so long: it is for two calls. Both times are those of the
 * file system. */
static bool
is_stale(const struct publication *self, const char *reservation)
{
	struct stat its;
	struct stat own;

	return fstatat(self->directory_fd, reservation, &its,
		   AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(self->fd, &own) == 0 &&
	       its.st_mtime < own.st_mtime - RESERVATION_OLD_S;
}

/* Neither link(2) nor RENAME_NOREPLACE. The placeholder does not stand under
 * the final name: a kill would leave it there, empty. */
static int
rename_reserved(const struct publication *self, const char *name)
{
	char reservation[TEMPORARY_NAME_BYTES];
	int dir = self->directory_fd;
	int result;
	int saved;
	int fd;

	if (name_reservation(name, reservation) < 0)
		return -1;
	fd = open_exclusive(dir, reservation);
	if (fd < 0 && errno == EEXIST && is_stale(self, reservation)) {
		(void)unlinkat(dir, reservation, 0);
		fd = open_exclusive(dir, reservation);
	}
	if (fd < 0)
		return -1;
	result = rename_unless_taken(self, name);
	saved = errno;
	(void)unlinkat(dir, reservation, 0);
	(void)close(fd);
	errno = saved;
	return result;
}

static int
link_named(const struct publication *self, const char *name)
{
	int dir = self->directory_fd;

	if (linkat(dir, self->temporary, dir, name, 0) == 0)
		return unlinkat(dir, self->temporary, 0);
	if (errno == EEXIST)
		return -1;
	if (renameat2(dir, self->temporary, dir, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST)
		return -1;
	return rename_reserved(self, name);
}

static int
commit_exclusive(struct publication *self, const char *name, struct error *err)
{
	int result = self->temporary[0] != '\0' ? link_named(self, name)
						: link_unnamed(self, name);

	if (result == 0) {
		self->temporary[0] = '\0';
		return 0;
	}
	if (errno == EEXIST)
		return error_set(err, ERROR_EXISTS, _("'%s/%s' exists already"),
		    self->directory, name);
	return error_set_errno(
	    err, errno, _("cannot name '%s/%s'"), self->directory, name);
}

int
publication_refuse_mount_point(const char *path, struct error *err)
{
	return error_set(err, ERROR_EXISTS,
	    _("'%s' is a mount point: no file can take its place"), path);
}

static int
refuse_name(const struct publication *self, const char *name, struct error *err)
{
	auto_free char *path = NULL;

	if (errno != EBUSY)
		return error_set_errno(err, errno, _("cannot name '%s/%s'"),
		    self->directory, name);
	path = text_format(err, "%s/%s", self->directory, name);
	return path != NULL ? publication_refuse_mount_point(path, err) : -1;
}

static int
commit_replacing(struct publication *self, const char *name, struct error *err)
{
	int dir = self->directory_fd;
	struct stat there;
	bool taken = fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0;

	if (taken && !S_ISREG(there.st_mode))
		return error_set(err, ERROR_EXISTS,
		    _("'%s/%s' exists and is not a regular file"),
		    self->directory, name);

	if (self->temporary[0] == '\0') {
		/* A name that is free needs no second one, which a kill in
		 * between would leave behind. */
		if (!taken && link_unnamed(self, name) == 0)
			return 0;
		if (name_temporary(self, err) < 0)
			return -1;
		if (link_unnamed(self, self->temporary) < 0) {
			self->temporary[0] = '\0';
			return error_set_errno(err, errno,
			    _("cannot write in '%s'"), self->directory);
		}
	}
	if (renameat(dir, self->temporary, dir, name) < 0)
		return refuse_name(self, name, err);
	self->temporary[0] = '\0';
	return 0;
}

int
publication_name(struct publication *publication, const char *name,
    bool replace, struct error *err)
{
	return replace ? commit_replacing(publication, name, err)
		       : commit_exclusive(publication, name, err);
}

int
publication_commit(struct publication *publication, const char *name,
    bool replace, struct error *err)
{
	/* A failed fsync is final: the kernel forgets the error. */
	if (fsync(publication->fd) < 0)
		return error_set_errno(err, errno, _("cannot write '%s/%s'"),
		    publication->directory, name);
	if (publication_name(publication, name, replace, err) < 0)
		return -1;

	/* Some file systems have no fsync for directories. */
	if (fsync(publication->directory_fd) < 0 && errno != EINVAL &&
	    errno != ENOSYS && errno != EOPNOTSUPP)
		return error_set_errno(err, errno,
		    _("cannot make the name '%s/%s' last"),
		    publication->directory, name);
	return 0;
}
