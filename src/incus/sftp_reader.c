#include "incus/sftp_reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/sftp_answer.h"
#include "incus/sftp_path.h"
#include "incus/sftp_session.h"
#include "stream/stream.h"

/* The server answers a READ with 32 KiB at most (6.0.4), newer ones with 128
 * (pkg/sftp, server.go, maxTxPacket): the first answer tells which. */
#define READ_MAX_BYTES (128U * 1024U)

/* All of them bring this much with one READ: a file that is no longer is asked
 * for at once, and its end with it. */
#define READ_LEAST_BYTES (32U * 1024U)

/* Reads on their way: 1 MiB of them keeps the server's 8 workers and both
 * socket buffers busy. Twice as much is no faster with 32 KiB each (6.0.4), and
 * four times as much is slower with 128 (7.0.2: a copy of 1 GiB takes 1.1 to
 * 1.3 times as long, medians of 6 in turns). */
#define WINDOW 32
#define WINDOW_BYTES (1024U * 1024U)

/* Three questions show whether all is well at the end. */
#define END_MAX 3

struct slot {
	struct sftp_pending pending;
	uint64_t offset;
	uint32_t wanted;	   /* bytes asked for at `offset` */
	bool opened;		   /* the answer has been looked at */
	const unsigned char *data; /* inside the answer */
	size_t data_size;
	size_t given;
};

struct reader {
	struct stream base;
	struct sftp_session *session;
	char *path;
	struct sftp_handle handle;
	struct sftp_attributes at_open;
	bool *ret_grew;

	uint32_t chunk_bytes; /* what one READ asks for */
	bool chunk_known;
	uint64_t next_offset; /* of the next READ to send */
	size_t head;	      /* the slot whose turn it is */
	size_t count;	      /* slots on their way, from head on */
	struct slot slots[WINDOW];

	bool end_asked;
	struct sftp_pending end[END_MAX];
};

static int
send_read(struct reader *self, struct slot *slot, struct error *err)
{
	struct sftp_packet packet;

	slot->opened = false;
	slot->given = 0;
	sftp_packet_start(&packet, SFTP_READ);
	sftp_put_handle(&packet, &self->handle);
	sftp_put_u64(&packet, slot->offset);
	sftp_put_u32(&packet, slot->wanted);
	return sftp_send(self->session, &packet, NULL, 0, &slot->pending, err);
}

static int
send_reads(struct reader *self, size_t most, struct error *err)
{
	while (self->count < most &&
	       self->next_offset < self->at_open.size_bytes) {
		struct slot *slot =
		    &self->slots[(self->head + self->count) % WINDOW];
		uint64_t left = self->at_open.size_bytes - self->next_offset;

		slot->offset = self->next_offset;
		slot->wanted = left < self->chunk_bytes ? (uint32_t)left
							: self->chunk_bytes;
		if (send_read(self, slot, err) < 0)
			return -1;
		self->next_offset += slot->wanted;
		self->count++;
	}
	return 0;
}

/* Keep the window full, a quarter of it at a time: these READs go out together.
 * Before the first answer only one is out. */
static int
fill_window(struct reader *self, struct error *err)
{
	size_t most = self->chunk_known ? WINDOW_BYTES / self->chunk_bytes : 1;

	if (most > WINDOW)
		most = WINDOW;
	if (self->count > most - most / 4)
		return 0;
	sftp_cork(self->session);
	return send_reads(self, most, err) == 0
		   ? sftp_uncork(self->session, err)
		   : -1;
}

static int
shrank(const struct reader *self, struct error *err)
{
	return error_set(err, ERROR_FAILED,
	    _("'%s%s' shrank while it was read"),
	    sftp_session_name(self->session), self->path);
}

/* Look at the answer to a slot's READ. */
static int
open_slot(struct reader *self, struct slot *slot, struct error *err)
{
	struct sftp_cursor cursor = {0};

	if (sftp_await(self->session, &slot->pending, err) < 0)
		return -1;
	if (sftp_answer_is(&slot->pending, SFTP_EOF))
		return shrank(self, err);
	if (sftp_answer(&slot->pending, SFTP_DATA, N_("cannot read"),
		self->path, &cursor, err) < 0)
		return -1;

	slot->data = sftp_get_bytes(&cursor, &slot->data_size);
	if (cursor.bad || slot->data_size == 0 ||
	    slot->data_size > slot->wanted)
		return error_set(err, ERROR_FAILED,
		    _("'%s%s': %u bytes were asked for, %zu came"),
		    sftp_session_name(self->session), self->path, slot->wanted,
		    slot->data_size);
	slot->opened = true;

	/* Nothing else is on its way yet: go on from what the first brought. */
	if (!self->chunk_known && slot->data_size < slot->wanted) {
		self->chunk_bytes = slot->wanted = (uint32_t)slot->data_size;
		self->next_offset = slot->data_size;
	}
	self->chunk_known = true;
	return 0;
}

/* A slot has been handed out: ask for what a short answer left, or move on. */
static int
next_slot(struct reader *self, struct slot *slot, struct error *err)
{
	if (slot->data_size < slot->wanted) {
		slot->offset += slot->data_size;
		slot->wanted -= (uint32_t)slot->data_size;
		return send_read(self, slot, err);
	}
	self->head = (self->head + 1) % WINDOW;
	self->count--;
	return fill_window(self, err);
}

/* One that grows has grown again between the two looks. */
static bool
is_still_named(const struct reader *self, const struct sftp_attributes *now,
    const struct sftp_attributes *named)
{
	struct sftp_attributes before = *named;

	if (now->size_bytes > self->at_open.size_bytes &&
	    named->size_bytes > now->size_bytes) {
		before.size_bytes = now->size_bytes;
		before.mtime_s = now->mtime_s;
	}
	return sftp_same_file(now, &before);
}

static int
judge_end(const struct reader *self, struct error *err)
{
	struct sftp_attributes now = {0};
	struct sftp_attributes named = {0};
	bool more = !sftp_answer_is(&self->end[0], SFTP_EOF);

	if (sftp_answer_attributes(&self->end[1], self->path, &now, err) < 0)
		return -1;
	if (sftp_answer_attributes(&self->end[2], self->path, &named, err) < 0)
		return error_prefix(err, "%s", _("it was replaced"));

	if (now.size_bytes < self->at_open.size_bytes)
		return shrank(self, err);
	if (!is_still_named(self, &now, &named))
		return error_set(err, ERROR_FAILED,
		    _("'%s%s' was replaced while it was read"),
		    sftp_session_name(self->session), self->path);
	if (more && now.size_bytes == self->at_open.size_bytes)
		return error_set(err, ERROR_FAILED,
		    _("'%s%s' holds more than its size says: not a file on a "
		      "disk"),
		    sftp_session_name(self->session), self->path);
	if (now.size_bytes > self->at_open.size_bytes && self->ret_grew != NULL)
		*self->ret_grew = true;
	return 0;
}

/* Whether it still is what it was: is there more, what is the open file now,
 * what has its name now. */
static int
ask_end(struct reader *self, struct error *err)
{
	struct sftp_packet packets[END_MAX];

	sftp_packet_start(&packets[0], SFTP_READ);
	sftp_put_handle(&packets[0], &self->handle);
	sftp_put_u64(&packets[0], self->at_open.size_bytes);
	sftp_put_u32(&packets[0], 1);
	sftp_packet_start(&packets[1], SFTP_FSTAT);
	sftp_put_handle(&packets[1], &self->handle);
	sftp_packet_start(&packets[2], SFTP_STAT);
	sftp_put_text(&packets[2], self->path);

	self->end_asked = true;
	for (size_t i = 0; i < END_MAX; i++) {
		if (sftp_send(self->session, &packets[i], NULL, 0,
			&self->end[i], err) < 0)
			return -1;
	}
	return 0;
}

/* All was read. */
static int
check_end(struct reader *self, struct error *err)
{
	if (!self->end_asked && ask_end(self, err) < 0)
		return -1;
	for (size_t i = 0; i < END_MAX; i++) {
		if (sftp_await(self->session, &self->end[i], err) < 0)
			return -1;
	}
	return judge_end(self, err);
}

static ssize_t
reader_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct reader *self = (struct reader *)s;
	struct slot *slot = &self->slots[self->head];
	size_t count;

	if (self->count == 0)
		return check_end(self, err);
	if (!slot->opened && open_slot(self, slot, err) < 0)
		return -1;

	count = slot->data_size - slot->given;
	if (count > size)
		count = size;
	memcpy(buf, slot->data + slot->given, count);
	slot->given += count;
	if (slot->given == slot->data_size && next_slot(self, slot, err) < 0)
		return -1;
	return (ssize_t)count;
}

static void
reader_free(struct stream *s)
{
	struct reader *self = (struct reader *)s;

	/* The handle ends with the session, which is ours to close or reuse:
	 * an answer that still comes must find nobody. */
	for (size_t i = 0; i < WINDOW; i++)
		sftp_forget(self->session, &self->slots[i].pending);
	for (size_t i = 0; i < END_MAX; i++)
		sftp_forget(self->session, &self->end[i]);
	free(self->path);
	free(self);
}

static const struct stream_kind reader_kind = {
    .name = "file in the instance",
    .read = reader_read,
    .free = reader_free,
};

static int
check_regular(const struct sftp_session *session, const char *path,
    uint32_t mode, struct error *err)
{
	const char *name = sftp_session_name(session);

	if (S_ISREG(mode))
		return 0;
	if (S_ISDIR(mode)) {
		error_set(err, ERROR_USAGE,
		    _("'%s%s' is a directory, not a regular file"), name, path);
		return error_hint(err, _("-r copies directories"));
	}
	return error_set(err, ERROR_FAILED,
	    _("'%s%s' is not a regular file (a FIFO, socket or device)"), name,
	    path);
}

static int
open_handle(struct reader *self, struct error *err)
{
	static const struct sftp_attributes none = {0};
	struct sftp_packet packet;

	sftp_packet_start(&packet, SFTP_OPEN);
	sftp_put_text(&packet, self->path);
	sftp_put_u32(&packet, SFTP_OPEN_READ);
	sftp_put_attributes(&packet, &none);
	return sftp_call_handle(self->session, &packet, N_("cannot open"),
	    self->path, &self->handle, err);
}

/* FSTAT, for between the look and the open it may have become something else;
 * and together with it the first READ, by the size that the look has shown. */
static int
begin(struct reader *self, struct error *err)
{
	auto_pending struct sftp_pending about = {0};
	struct sftp_packet packet;
	uint64_t seen_bytes = self->at_open.size_bytes;

	sftp_packet_start(&packet, SFTP_FSTAT);
	sftp_put_handle(&packet, &self->handle);
	if (sftp_send(self->session, &packet, NULL, 0, &about, err) < 0 ||
	    fill_window(self, err) < 0 ||
	    sftp_await(self->session, &about, err) < 0) {
		sftp_forget(self->session, &about);
		return -1;
	}
	if (sftp_answer_attributes(&about, self->path, &self->at_open, err) <
		0 ||
	    check_regular(self->session, self->path, self->at_open.mode, err) <
		0)
		return -1;
	if (self->at_open.size_bytes < seen_bytes)
		return shrank(self, err);
	if (self->at_open.size_bytes <= READ_LEAST_BYTES &&
	    self->at_open.size_bytes == seen_bytes)
		return ask_end(self, err);
	return fill_window(self, err);
}

struct stream *
sftp_file_open(struct sftp_session *session, const char *path,
    struct sftp_attributes *ret_attributes, bool *ret_grew, struct error *err)
{
	struct sftp_attributes before = {0};
	struct reader *self;

	if (sftp_session_ready(session, err) < 0 ||
	    sftp_stat(session, path, &before, err) < 0 ||
	    check_regular(session, path, before.mode, err) < 0)
		return NULL;

	self = calloc(1, sizeof(*self));
	if (self == NULL) {
		error_set_memory(err);
		return NULL;
	}
	self->base.kind = &reader_kind;
	self->session = session;
	self->ret_grew = ret_grew;
	self->chunk_bytes = READ_MAX_BYTES;
	self->at_open = before;
	self->path = text_copy(path, strlen(path), err);
	if (self->path == NULL || open_handle(self, err) < 0 ||
	    begin(self, err) < 0)
		return stream_refuse(&self->base);
	*ret_attributes = self->at_open;
	return &self->base;
}
