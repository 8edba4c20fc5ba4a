#include "stream/read_ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "stream/stream.h"

/* How far the thread may be ahead. The daemon gives in bursts, for it reads
 * small files and large ones, and gpg takes in bursts: without it two
 * processors are idle a fifth of the time, with 4 MiB an eighth, and with 8 no
 * less (7.0.2).
 */
#define RING_BYTES ((size_t)4 * 1024 * 1024)

struct read_ahead {
	struct stream base;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;

	/* Under the lock; bytes that are not counted as filled are the
	 * thread's, the others the reader's. */
	size_t filled;
	bool ended; /* with `failure`, or well */
	bool stop;  /* nobody reads any more */
	struct error failure;

	/* Where the thread writes, and where the reader reads. */
	size_t end;
	size_t start;
	unsigned char ring[RING_BYTES];
};

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How much can be written at the end; 0 when nobody wants it. */
static size_t
wait_for_room(struct read_ahead *self)
{
	size_t room;

	(void)pthread_mutex_lock(&self->lock);
	while (self->filled == RING_BYTES && !self->stop)
		(void)pthread_cond_wait(&self->changed, &self->lock);
	room = self->stop ? 0 : RING_BYTES - self->filled;
	(void)pthread_mutex_unlock(&self->lock);
	return least(least(room, RING_BYTES - self->end), STREAM_BUFFER_BYTES);
}

/* What has come: 0 is the end, -1 a failure. */
static void
hand_over(struct read_ahead *self, ssize_t got)
{
	(void)pthread_mutex_lock(&self->lock);
	if (got > 0)
		self->filled += (size_t)got;
	else
		self->ended = true;
	(void)pthread_cond_signal(&self->changed);
	(void)pthread_mutex_unlock(&self->lock);
}

static void *
run(void *data)
{
	struct read_ahead *self = data;
	ssize_t got = 1;
	size_t room;

	while (got > 0 && (room = wait_for_room(self)) > 0) {
		got = stream_read(self->base.upstream, self->ring + self->end,
		    room, &self->failure);
		if (got > 0)
			self->end = (self->end + (size_t)got) % RING_BYTES;
		hand_over(self, got);
	}
	return NULL;
}

/* How much can be read at the start; 0 at the end, and all that the thread did
 * is seen then. */
static size_t
wait_for_bytes(struct read_ahead *self)
{
	size_t filled;

	(void)pthread_mutex_lock(&self->lock);
	while (self->filled == 0 && !self->ended)
		(void)pthread_cond_wait(&self->changed, &self->lock);
	filled = self->filled;
	(void)pthread_mutex_unlock(&self->lock);
	return least(filled, RING_BYTES - self->start);
}

static void
give_back(struct read_ahead *self, size_t count)
{
	self->start = (self->start + count) % RING_BYTES;
	(void)pthread_mutex_lock(&self->lock);
	self->filled -= count;
	(void)pthread_cond_signal(&self->changed);
	(void)pthread_mutex_unlock(&self->lock);
}

static ssize_t
read_ahead_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct read_ahead *self = (struct read_ahead *)s;
	size_t count = least(wait_for_bytes(self), size);

	if (count == 0) {
		if (!error_is_set(&self->failure))
			return 0;
		*err = self->failure;
		return -1;
	}
	memcpy(buf, self->ring + self->start, count);
	give_back(self, count);
	return (ssize_t)count;
}

static void
read_ahead_free(struct stream *s)
{
	struct read_ahead *self = (struct read_ahead *)s;

	(void)pthread_mutex_lock(&self->lock);
	self->stop = true;
	(void)pthread_cond_signal(&self->changed);
	(void)pthread_mutex_unlock(&self->lock);
	(void)pthread_join(self->thread, NULL);
	(void)pthread_cond_destroy(&self->changed);
	(void)pthread_mutex_destroy(&self->lock);
	free(self);
}

static const struct stream_kind read_ahead_kind = {
    .name = "read-ahead",
    .read = read_ahead_read,
    .free = read_ahead_free,
};

/* Signals are for the thread that waits for nothing else: the first one. */
static int
start_thread(struct read_ahead *self)
{
	sigset_t all;
	sigset_t before;
	int result;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	result = pthread_create(&self->thread, NULL, run, self);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result;
}

struct stream *
read_ahead_new(struct stream *from, struct error *err)
{
	struct read_ahead *self;
	int number;

	if (from == NULL)
		return NULL;
	self = calloc(1, sizeof(*self));
	if (self == NULL) {
		error_set_memory(err);
		return stream_refuse(from);
	}
	self->base.kind = &read_ahead_kind;
	self->base.upstream = from;
	(void)pthread_mutex_init(&self->lock, NULL);
	(void)pthread_cond_init(&self->changed, NULL);
	number = start_thread(self);
	if (number != 0) {
		error_set_errno(err, number, "pthread_create");
		free(self);
		return stream_refuse(from);
	}
	return &self->base;
}
