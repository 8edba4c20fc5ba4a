#include "store/host_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/state.h"

static char *
path_of(const char *name, struct error *err)
{
	auto_free char *directory = state_host_directory("lock", err);

	if (directory == NULL ||
	    state_make_directories(directory, 0755, err) < 0)
		return NULL;
	return text_format(err, "%s/%s", directory, name);
}

int
host_lock_take(const char *name, struct error *err)
{
	auto_free char *path = path_of(name, err);
	auto_close int fd = -1;

	if (path == NULL)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return error_set_errno(err, errno, _("cannot make '%s'"), path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return steal_fd(&fd);
	if (errno == EWOULDBLOCK)
		return error_set(
		    err, ERROR_LOCKED, _("'%s' is held by another run"), name);
	return error_set_errno(err, errno, _("cannot lock '%s'"), path);
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
	auto_free char *path = path_of(name, &ignored);

	if (path != NULL)
		(void)unlink(path);
}

int
host_lock_look(
    const char *name, enum host_lock_state *ret_state, struct error *err)
{
	auto_free char *path = path_of(name, err);
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
