#include "stream/examine.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "stream/backup_check.h"
#include "stream/examine_talk.h"
#include "stream/stream.h"

/* The index comes first, behind one header and perhaps a pax header: when so
 * much was read of a tar, the child knows whether it has one. */
#define HEAD_MAX_BYTES (2 * BACKUP_YAML_MAX_BYTES + STREAM_BUFFER_BYTES)

struct examine {
	struct stream base;
	struct examine_talk talk;

	/* Bytes that the child was given and the reader was not yet. */
	char *queue;
	size_t queue_start;
	size_t queue_end;
};

void
examination_clear(struct examination *examination)
{
	json_decref(examination->index);
	*examination = (struct examination){0};
}

/* All that the child has still to say, which ends with why it ends. */
static int
hear_out(struct examine *self, struct error *err)
{
	while (examine_talk_hear(&self->talk, err) == 0)
		;
	return -1;
}

/* Hand over `size` bytes, and listen when there is no room for them. */
static int
give(struct examine *self, const char *bytes, size_t size, struct error *err)
{
	while (size > 0) {
		ssize_t given = examine_talk_give(&self->talk, bytes, size);
		bool has_words = false;

		/* Its last words say more than that it listens no more. */
		if (given < 0)
			return hear_out(self, err);
		bytes += given;
		size -= (size_t)given;
		if (given == 0 &&
		    examine_talk_wait(&self->talk, true, &has_words, err) < 0)
			return -1;
		if (has_words && examine_talk_hear(&self->talk, err) < 0)
			return -1;
	}
	return 0;
}

/* One buffer from upstream to the child; its size, and 0 at the end. */
static ssize_t
pass_on(struct examine *self, char *buf, size_t size, struct error *err)
{
	ssize_t got = stream_read(self->base.upstream, buf, size, err);

	if (got < 0)
		return -1;
	if (got == 0)
		examine_talk_end_giving(&self->talk);
	else if (give(self, buf, (size_t)got, err) < 0)
		return -1;
	return got;
}

/* The end is good when the child says so, as the last it says. */
static int
conclude(struct examine *self, struct error *err)
{
	while (!self->talk.result->complete) {
		if (examine_talk_hear(&self->talk, err) < 0)
			return -1;
	}
	return 0;
}

static ssize_t
examine_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct examine *self = (struct examine *)s;
	size_t count = self->queue_end - self->queue_start;
	ssize_t got;

	if (count > 0) {
		if (count > size)
			count = size;
		memcpy(buf, self->queue + self->queue_start, count);
		self->queue_start += count;
		if (self->queue_start == self->queue_end) {
			free(self->queue);
			self->queue = NULL;
		}
		return (ssize_t)count;
	}
	if (self->talk.upstream_ended)
		return conclude(self, err);
	got = pass_on(self, buf, size, err);
	return got != 0 ? got : conclude(self, err);
}

static void
examine_free(struct stream *s)
{
	struct examine *self = (struct examine *)s;

	examine_child_end(&self->talk.child);
	free(self->queue);
	free(self);
}

static const struct stream_kind examine_kind = {
    .name = "tar",
    .read = examine_read,
    .free = examine_free,
};

/* Until the child has the index, or has read all that it was given. */
static int
hear_head(struct examine *self, struct error *err)
{
	while (self->talk.result->index == NULL &&
	       (self->talk.upstream_ended ||
		   self->talk.child.shown.taken_bytes < self->queue_end)) {
		if (examine_talk_hear(&self->talk, err) < 0)
			return -1;
	}
	return 0;
}

static int
read_head(struct examine *self, struct error *err)
{
	self->queue = malloc(HEAD_MAX_BYTES);
	if (self->queue == NULL)
		return error_set_memory(err);
	while (self->talk.result->index == NULL) {
		size_t room = HEAD_MAX_BYTES - self->queue_end;
		ssize_t got;

		if (room == 0)
			return hear_out(self, err);
		got = pass_on(self, self->queue + self->queue_end,
		    room < STREAM_BUFFER_BYTES ? room : STREAM_BUFFER_BYTES,
		    err);
		if (got < 0)
			return -1;
		self->queue_end += (size_t)got;
		if (hear_head(self, err) < 0)
			return -1;
	}
	return 0;
}

struct stream *
examine_new(
    struct stream *from, struct examination *ret_examination, struct error *err)
{
	struct examine *self;

	if (from == NULL)
		return NULL;
	*ret_examination = (struct examination){0};
	self = calloc(1, sizeof(*self));
	if (self == NULL) {
		error_set_memory(err);
		return stream_refuse(from);
	}
	self->base.kind = &examine_kind;
	self->base.upstream = from;
	self->talk.result = ret_examination;
	self->talk.child = (struct examine_child){.input = -1, .output = -1};

	if (examine_child_start(&self->talk.child, NULL, err) < 0 ||
	    read_head(self, err) < 0) {
		examination_clear(ret_examination);
		return stream_refuse(&self->base);
	}
	return &self->base;
}
