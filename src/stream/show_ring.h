/* show_ring.h - bytes that one process shows to a child of its own, without a
 * pipe in between
 *
 * Memory that both have: the parent copies what it shows into a ring, says the
 * size through a pipe, and hears, in whatever way the two talk, how much the
 * child has taken. Through a pipe the same bytes are copied twice, and its
 * pages are made and freed each time. The parent never reads from the ring, so
 * a child that writes to it deceives nobody but itself. */

#ifndef ANKLUME_STREAM_SHOW_RING_H
#define ANKLUME_STREAM_SHOW_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;

/* Four buffers of a stream. */
#define SHOW_RING_BYTES ((size_t)1024 * 1024)

struct show_ring {
	unsigned char *bytes; /* NULL: none */
	uint64_t shown_bytes; /* ever */
	uint64_t taken_bytes; /* by the child, as far as is known */
};

/* Before the child is made. */
int show_ring_open(struct show_ring *ret_ring, struct error *err);
void show_ring_close(struct show_ring *ring);

/* How much there is room for. */
size_t show_ring_room(const struct show_ring *ring);

/* Show some bytes, and say so through `fd`, which does not block. Returns how
 * many, 0 while there is not much room; -1 with errno when nobody listens. */
ssize_t show_ring_give(
    struct show_ring *ring, int fd, const void *bytes, size_t size);

/* The child has taken so many, ever. -1 when that cannot be. */
int show_ring_taken(struct show_ring *ring, uint64_t taken_bytes);

/* In the child: what is said through `fd`, to its end. `on_taken` is called
 * when all that was said has been taken, and now and then before. */
struct show_ring_view {
	const unsigned char *bytes;
	int fd;
	uint32_t left_bytes;  /* of what was said */
	uint64_t taken_bytes; /* ever */
	uint64_t told_bytes;
	void (*on_taken)(void *data, uint64_t taken_bytes);
	void *data;
};

/* Some of them: 1..size; 0 at the end. */
ssize_t show_ring_take(
    struct show_ring_view *view, void *buf, size_t size, struct error *err);

#endif
