#include "base/wait.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"

int
wait_ready(int fd, short events, int timeout_ms, struct error *err)
{
	int64_t deadline_ms = clock_now_ms() + timeout_ms;

	for (;;) {
		struct pollfd fds[2] = {
		    {.fd = fd, .events = events},
		    {.fd = interrupt_fd(), .events = POLLIN},
		};
		int left = timeout_ms < 0 ? -1 : clock_left_ms(deadline_ms);
		int ready = poll(fds, 2, left);

		if (interrupt_check(err) < 0)
			return -1;
		if (ready < 0 && errno != EINTR)
			return error_set_errno(err, errno, "poll");
		if (ready == 0)
			return 0;
		if (ready > 0 && fds[0].revents != 0)
			return 1;
	}
}

int
wait_write_all(
    int fd, const void *bytes, size_t size, const char *name, struct error *err)
{
	const char *next = bytes;

	while (size > 0) {
		ssize_t written;

		/* A signal in the middle leaves a short count, not EINTR. */
		if (interrupt_check(err) < 0)
			return -1;
		written = write(fd, next, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EAGAIN) {
			if (wait_ready(fd, POLLOUT, -1, err) < 0)
				return -1;
			continue;
		}
		if (written < 0)
			return error_set_errno(err, errno, "'%s'", name);
		next += written;
		size -= (size_t)written;
	}
	return 0;
}
