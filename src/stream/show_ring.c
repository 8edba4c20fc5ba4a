#include "stream/show_ring.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"

/* The child tells of what it has taken at the latest after so much, and so much
 * the parent waits for. */
#define TELL_BYTES (SHOW_RING_BYTES / 4)

static size_t
at_most(uint64_t count, size_t limit)
{
	return count < limit ? (size_t)count : limit;
}

/* The parent -------------------------------------------------------------- */

int
show_ring_open(struct show_ring *ret_ring, struct error *err)
{
	void *bytes = mmap(NULL, SHOW_RING_BYTES, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		return error_set_memory(err);
	*ret_ring = (struct show_ring){.bytes = bytes};
	return 0;
}

void
show_ring_close(struct show_ring *ring)
{
	if (ring->bytes != NULL)
		(void)munmap(ring->bytes, SHOW_RING_BYTES);
	*ring = (struct show_ring){0};
}

size_t
show_ring_room(const struct show_ring *ring)
{
	return SHOW_RING_BYTES -
	       (size_t)(ring->shown_bytes - ring->taken_bytes);
}

ssize_t
show_ring_give(struct show_ring *ring, int fd, const void *bytes, size_t size)
{
	size_t at = (size_t)(ring->shown_bytes % SHOW_RING_BYTES);
	size_t room = show_ring_room(ring);
	uint32_t count =
	    (uint32_t)at_most(at_most(size, room), SHOW_RING_BYTES - at);

	/* In small pieces both sides would do nothing but talk. */
	if (room < at_most(size, TELL_BYTES))
		return 0;
	memcpy(ring->bytes + at, bytes, count);
	/* So few bytes are written to a pipe as a whole (PIPE_BUF). */
	if (write(fd, &count, sizeof(count)) < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -1;
	ring->shown_bytes += count;
	return (ssize_t)count;
}

int
show_ring_taken(struct show_ring *ring, uint64_t taken_bytes)
{
	if (taken_bytes < ring->taken_bytes || taken_bytes > ring->shown_bytes)
		return -1;
	ring->taken_bytes = taken_bytes;
	return 0;
}

/* The child --------------------------------------------------------------- */

static bool
is_said(int fd)
{
	struct pollfd fds = {.fd = fd, .events = POLLIN};

	return poll(&fds, 1, 0) != 0;
}

/* The next size: 1; 0 at the end. */
static int
hear(struct show_ring_view *view, struct error *err)
{
	ssize_t got;

	if (view->taken_bytes - view->told_bytes >= TELL_BYTES ||
	    !is_said(view->fd)) {
		view->on_taken(view->data, view->taken_bytes);
		view->told_bytes = view->taken_bytes;
	}
	do
		got = read(view->fd, &view->left_bytes, sizeof(uint32_t));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_set_errno(err, errno, "read");
	return got > 0;
}

ssize_t
show_ring_take(
    struct show_ring_view *view, void *buf, size_t size, struct error *err)
{
	size_t at = (size_t)(view->taken_bytes % SHOW_RING_BYTES);
	size_t count;

	if (view->left_bytes == 0) {
		int heard = hear(view, err);

		if (heard <= 0)
			return heard;
	}
	count = at_most(view->left_bytes, size);
	memcpy(buf, view->bytes + at, count);
	view->left_bytes -= (uint32_t)count;
	view->taken_bytes += count;
	return (ssize_t)count;
}
