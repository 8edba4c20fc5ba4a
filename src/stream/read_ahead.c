#include "stream/read_ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "stream/stream.h"

/* How far the thread may be ahead. Four buffers even out that one side goes in
 * steps of its own; more are no faster (measured). */
#define SLOTS 4

struct slot {
	size_t size;
	unsigned char bytes[STREAM_BUFFER_BYTES];
};

struct read_ahead {
	struct stream base;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;

	/* Under the lock; a slot's bytes belong to the thread until it is
	 * counted as filled, and then to the reader. */
	size_t filled;
	bool ended; /* with `failure`, or well */
	bool stop;  /* nobody reads any more */
	struct error failure;

	/* The thread's and the reader's own. */
	size_t next_to_fill;
	size_t next_to_give;
	size_t given; /* bytes of that slot */
	struct slot slots[SLOTS];
};

/* A free slot; NULL when nobody wants it. */
static struct slot *
wait_for_room(struct read_ahead *self)
{
	struct slot *slot = NULL;

	(void)pthread_mutex_lock(&self->lock);
	while (self->filled == SLOTS && !self->stop)
		(void)pthread_cond_wait(&self->changed, &self->lock);
	if (!self->stop)
		slot = &self->slots[self->next_to_fill];
	(void)pthread_mutex_unlock(&self->lock);
	return slot;
}

static void
hand_over(struct read_ahead *self, bool ended)
{
	(void)pthread_mutex_lock(&self->lock);
	if (ended)
		self->ended = true;
	else
		self->filled++;
	(void)pthread_cond_signal(&self->changed);
	(void)pthread_mutex_unlock(&self->lock);
}

static void *
run(void *data)
{
	struct read_ahead *self = data;
	struct slot *slot;
	ssize_t got = 1;

	while (got > 0 && (slot = wait_for_room(self)) != NULL) {
		got = stream_read(self->base.upstream, slot->bytes,
		    sizeof(slot->bytes), &self->failure);
		slot->size = got > 0 ? (size_t)got : 0;
		self->next_to_fill = (self->next_to_fill + 1) % SLOTS;
		hand_over(self, got <= 0);
	}
	return NULL;
}

/* A filled slot; NULL at the end, and all that the thread did is seen then. */
static const struct slot *
wait_for_bytes(struct read_ahead *self)
{
	const struct slot *slot = NULL;

	(void)pthread_mutex_lock(&self->lock);
	while (self->filled == 0 && !self->ended)
		(void)pthread_cond_wait(&self->changed, &self->lock);
	if (self->filled > 0)
		slot = &self->slots[self->next_to_give];
	(void)pthread_mutex_unlock(&self->lock);
	return slot;
}

static void
give_back(struct read_ahead *self)
{
	self->next_to_give = (self->next_to_give + 1) % SLOTS;
	self->given = 0;
	(void)pthread_mutex_lock(&self->lock);
	self->filled--;
	(void)pthread_cond_signal(&self->changed);
	(void)pthread_mutex_unlock(&self->lock);
}

static ssize_t
read_ahead_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct read_ahead *self = (struct read_ahead *)s;
	const struct slot *slot = wait_for_bytes(self);
	size_t count;

	if (slot == NULL) {
		if (!error_is_set(&self->failure))
			return 0;
		*err = self->failure;
		return -1;
	}
	count = slot->size - self->given;
	if (count > size)
		count = size;
	memcpy(buf, slot->bytes + self->given, count);
	self->given += count;
	if (self->given == slot->size)
		give_back(self);
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
