#include "store/host_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/wait.h"
#include "store/state.h"

/* While it is held by another. */
#define LOOK_EVERY_MS 200

#define PID_BYTES 24

static char *
path_of(const char *name, bool make, struct error *err)
{
	auto_free char *directory = state_host_directory("lock", err);

	if (directory == NULL ||
	    (make && state_make_directories(directory, 0755, err) < 0))
		return NULL;
	return text_format(err, "%s/%s", directory, name);
}

/* Whoever held it has taken the name away with it: then this is no lock. */
static bool
is_still_there(int fd, const char *path)
{
	struct stat held;
	struct stat there;

	return fstat(fd, &held) == 0 && stat(path, &there) == 0 &&
	       held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

/* For whoever meets it. */
static void
write_holder(int fd)
{
	char text[PID_BYTES];
	int length = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, (size_t)length, 0);
}

static int
refuse_held(int fd, const char *name, struct error *err)
{
	char text[PID_BYTES] = "";
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

	if (got > 0)
		text[strspn(text, "0123456789")] = '\0';
	if (*text == '\0')
		return error_set(
		    err, ERROR_LOCKED, _("'%s' is held by another run"), name);
	return error_set(err, ERROR_LOCKED,
	    _("'%s' is held by another run (process %s)"), name, text);
}

/* 1 with the lock in *ret_fd, 0 when it is held, -1. */
static int
try_to_take(const char *path, int *ret_fd, struct error *err)
{
	auto_close int fd =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return error_set_errno(err, errno, _("cannot make '%s'"), path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return error_set_errno(
			    err, errno, _("cannot lock '%s'"), path);
		*ret_fd = steal_fd(&fd);
		return 0;
	}
	if (!is_still_there(fd, path))
		return try_to_take(path, ret_fd, err);
	write_holder(fd);
	*ret_fd = steal_fd(&fd);
	return 1;
}

int
host_lock_take(const char *name, int64_t wait_ms, struct error *err)
{
	auto_free char *path = path_of(name, true, err);
	int64_t deadline_ms = clock_now_ms() + wait_ms;

	if (path == NULL)
		return -1;
	for (;;) {
		auto_close int fd = -1;
		int taken = try_to_take(path, &fd, err);
		int left_ms = clock_left_ms(deadline_ms);

		if (taken != 0)
			return taken > 0 ? steal_fd(&fd) : -1;
		if (left_ms == 0)
			return refuse_held(fd, name, err);
		if (wait_ready(-1, 0,
			left_ms < LOOK_EVERY_MS ? left_ms : LOOK_EVERY_MS,
			err) < 0)
			return -1;
	}
}

bool
host_lock_is_refused(const struct error *err)
{
	return err->code == ERROR_LOCKED || err->code == ERROR_INTERRUPTED ||
	       err->code == ERROR_TERMINATED;
}

void
host_lock_drop(const char *name, int lock)
{
	host_lock_forget(name);
	(void)close(lock);
}

void
host_lock_forget(const char *name)
{
	struct error ignored = {0};
	auto_free char *path = path_of(name, false, &ignored);

	if (path != NULL)
		(void)unlink(path);
}

int
host_lock_look(
    const char *name, enum host_lock_state *ret_state, struct error *err)
{
	auto_free char *path = path_of(name, false, err);
	auto_close int fd = -1;

	if (path == NULL)
		return -1;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT) {
		*ret_state = HOST_LOCK_UNKNOWN;
		return 0;
	}
	if (fd < 0)
		return error_set_errno(err, errno, _("cannot open '%s'"), path);
	*ret_state =
	    flock(fd, LOCK_EX | LOCK_NB) == 0 ? HOST_LOCK_LEFT : HOST_LOCK_HELD;
	return 0;
}

int
host_lock_taken_at(const char *name, time_t *ret_when, struct error *err)
{
	auto_free char *path = path_of(name, false, err);
	struct stat found;

	if (path == NULL)
		return -1;
	/* Whoever takes it writes into it. */
	if (lstat(path, &found) == 0) {
		*ret_when = found.st_mtime;
		return 1;
	}
	if (errno == ENOENT)
		return 0;
	return error_set_errno(err, errno, _("cannot open '%s'"), path);
}
