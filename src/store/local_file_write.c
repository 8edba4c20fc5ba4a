#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/local_body.h"
#include "store/local_file.h"
#include "store/publication.h"

/* Where the file really goes: the target of a symlink. Heap. */
static char *
resolve(const char *path, struct error *err)
{
	struct stat found;
	char *resolved;

	if (lstat(path, &found) < 0 || !S_ISLNK(found.st_mode))
		return text_copy(path, strlen(path), err);
	resolved = realpath(path, NULL);
	if (resolved == NULL)
		error_set_errno(err, errno, _("cannot follow '%s'"), path);
	return resolved;
}

mode_t
local_umask(void)
{
	mode_t mask = umask(077);

	(void)umask(mask);
	return mask;
}

/* As asked for, else as in the file that is replaced, else as it is. */
static int
set_owner(int fd, const struct local_put_request *request,
    const struct stat *replaced, struct error *err)
{
	struct stat now;
	uid_t uid;
	gid_t gid;

	if (fstat(fd, &now) < 0)
		return error_set_errno(err, errno, "'%s'", request->path);
	uid = replaced != NULL ? replaced->st_uid : now.st_uid;
	gid = replaced != NULL ? replaced->st_gid : now.st_gid;
	if (request->exact_uid >= 0)
		uid = (uid_t)request->exact_uid;
	if (request->exact_gid >= 0)
		gid = (gid_t)request->exact_gid;
	if ((uid != now.st_uid || gid != now.st_gid) &&
	    fchown(fd, uid, gid) < 0)
		return error_set_errno(
		    err, errno, _("cannot give '%s' its owner"), request->path);
	return 0;
}

static int
set_times(int fd, const struct local_put_request *request, struct error *err)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
	    {.tv_sec = request->mtime_s,
		.tv_nsec = request->has_mtime ? 0 : UTIME_OMIT}};

	/* A file that is written in place need not be the user's own. */
	if (futimens(fd, times) == 0 || (request->in_place && errno == EPERM))
		return 0;
	return error_set_errno(err, errno, "'%s'", request->path);
}

/* Once the owner is right: chown(2) clears setuid. */
static int
set_mode(int fd, const struct local_put_request *request,
    const struct stat *replaced, struct error *err)
{
	mode_t mode = request->mode & 0777U & ~local_umask();

	if (replaced != NULL)
		mode = replaced->st_mode & 07777U;
	if (request->exact_mode >= 0)
		mode = (mode_t)request->exact_mode;
	return publication_set_mode(fd, mode, request->path, err);
}

/* Whether something is mounted on the file (statx(2), since Linux 5.8). */
static bool
is_mount_point(const char *path)
{
	struct statx found;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &found) == 0 &&
	       (found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static int
check_replaceable(const struct local_put_request *request, const char *path,
    const struct stat *there, struct error *err)
{
	if (request->exclusive)
		return error_set(
		    err, ERROR_EXISTS, _("'%s' exists already"), request->path);
	if (!S_ISREG(there->st_mode))
		return error_set(err, ERROR_EXISTS,
		    _("'%s' exists and is not a regular file"), request->path);
	if (request->in_place || !is_mount_point(path))
		return 0;
	publication_refuse_mount_point(request->path, err);
	return error_hint(err, _("--in-place writes into the file itself"));
}

/* What was asked for, and nothing else. */
static int
put_in_place(const struct local_put_request *request, const char *path,
    struct stream *body, uint64_t *ret_size_bytes, struct error *err)
{
	auto_close int fd =
	    open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat now;

	if (fd < 0 || fstat(fd, &now) < 0)
		return error_set_errno(
		    err, errno, _("cannot write '%s'"), request->path);
	if (local_body_replace(fd, body, request->sent, request->path,
		ret_size_bytes, err) < 0 ||
	    set_owner(fd, request, &now, err) < 0)
		return -1;
	if (request->exact_mode >= 0 &&
	    fchmod(fd, (mode_t)request->exact_mode) < 0)
		return error_set_errno(err, errno,
		    _("cannot set the mode of '%s'"), request->path);
	if (set_times(fd, request, err) < 0)
		return -1;
	if (fsync(fd) < 0)
		return error_set_errno(
		    err, errno, _("cannot write '%s'"), request->path);
	return 0;
}

static int
put_new(const struct local_put_request *request, const char *path,
    const struct stat *replaced, struct stream *body, uint64_t *ret_size_bytes,
    struct error *err)
{
	auto_free char *for_directory = text_copy(path, strlen(path), err);
	auto_free char *for_name = text_copy(path, strlen(path), err);
	auto_publication struct publication *file = NULL;
	int fd;

	if (for_directory == NULL || for_name == NULL)
		return -1;
	file = publication_new(dirname(for_directory), err);
	if (file == NULL) {
		if (err->code == ERROR_NO_DIRECTORY)
			err->code = ERROR_NOT_FOUND;
		return -1;
	}
	fd = publication_fd(file);
	if (local_body_stream(fd, body, request->path, ret_size_bytes, err) <
		0 ||
	    local_body_check(fd, request->sent, request->path, err) < 0 ||
	    set_owner(fd, request, replaced, err) < 0 ||
	    set_mode(fd, request, replaced, err) < 0 ||
	    set_times(fd, request, err) < 0)
		return -1;
	return publication_commit(
	    file, basename(for_name), !request->exclusive, err);
}

int
local_file_put(const struct local_put_request *request, struct stream *body,
    uint64_t *ret_size_bytes, struct error *err)
{
	auto_free char *path = resolve(request->path, err);
	struct stat there;
	const struct stat *replaced;

	if (path == NULL)
		return -1;
	replaced = lstat(path, &there) == 0 ? &there : NULL;
	if (replaced != NULL &&
	    check_replaceable(request, path, &there, err) < 0)
		return -1;
	if (replaced != NULL && request->in_place)
		return put_in_place(request, path, body, ret_size_bytes, err);
	return put_new(request, path, replaced, body, ret_size_bytes, err);
}
