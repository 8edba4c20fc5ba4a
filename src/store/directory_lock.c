#include "store/directory_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/wait.h"

/* While another is in the way. */
#define LOOK_EVERY_MS 200

int
directory_lock_take(
    const char *path, bool alone, int64_t wait_ms, struct error *err)
{
	int64_t deadline_ms = clock_now_ms() + wait_ms;
	int how = (alone ? LOCK_EX : LOCK_SH) | LOCK_NB;
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_set_errno(err, errno, _("cannot open '%s'"), path);
	/* Any other failure: locks are not known there. */
	while (flock(fd, how) < 0 && errno == EWOULDBLOCK) {
		int left_ms = clock_left_ms(deadline_ms);

		if (left_ms == 0)
			return error_set(err, ERROR_LOCKED,
			    _("'%s' is in use by another run"), path);
		if (wait_ready(-1, 0,
			left_ms < LOOK_EVERY_MS ? left_ms : LOOK_EVERY_MS,
			err) < 0)
			return -1;
	}
	return steal_fd(&fd);
}
