#include "incus/sftp_load.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/i18n.h"
#include "incus/sftp_answer.h"
#include "incus/sftp_path.h"
#include "incus/sftp_session.h"
#include "incus/sftp_wire.h"
#include "stream/file_batch.h"

/* Every server answers a READ of this size in one go (sftp_reader.c). */
#define READ_BYTES (32U * 1024U)

/* Reads on their way, over all files: 2 MiB at most come unasked. */
#define WINDOW 64

struct read {
	struct sftp_pending pending;
	struct batch_file *file;
	size_t offset;
	uint32_t wanted;
};

/* One batch on its way. */
struct sftp_load {
	struct sftp_session *session;
	struct file_batch *batch;
	struct sftp_handle handles[FILE_BATCH_MAX];
	struct sftp_pending about[FILE_BATCH_MAX];
	bool looked_at[FILE_BATCH_MAX]; /* FSTAT was sent, behind the reads */
	bool more[FILE_BATCH_MAX];	/* came than the listing says */
	struct read reads[WINDOW];
	size_t sent; /* reads, ever */
	size_t done;
	bool opened;
};

/* A file that changed its kind since it was listed. */
static int
refuse_kind(const struct sftp_load *load, struct batch_file *file)
{
	return error_set(&file->failure, ERROR_FAILED,
	    _("'%s%s' was replaced while it was read"),
	    sftp_session_name(load->session), file->from);
}

static int
send_open(struct sftp_load *load, size_t i, struct error *err)
{
	static const struct sftp_attributes none = {0};
	struct batch_file *file = &load->batch->files[i];
	bool is_link = S_ISLNK(file->facts.mode);
	struct sftp_packet packet;

	sftp_packet_start(&packet, is_link ? SFTP_READLINK : SFTP_OPEN);
	sftp_put_text(&packet, file->from);
	if (!is_link) {
		sftp_put_u32(&packet, SFTP_OPEN_READ);
		sftp_put_attributes(&packet, &none);
	}
	return sftp_send(load->session, &packet, NULL, 0, &load->about[i], err);
}

static void
take_link(struct batch_file *file, const struct sftp_pending *answer)
{
	const char *target;
	size_t size;

	if (sftp_answer_link(
		answer, file->from, &target, &size, &file->failure) == 0 &&
	    batch_file_reserve(file, size) == 0)
		memcpy(file->content, target, size);
}

static int
take_opened(struct sftp_load *load, size_t i, struct error *err)
{
	struct batch_file *file = &load->batch->files[i];
	struct sftp_pending *answer = &load->about[i];

	if (sftp_await(load->session, answer, err) < 0)
		return -1;
	if (S_ISLNK(file->facts.mode))
		take_link(file, answer);
	else if (sftp_answer_handle(answer, N_("cannot open"), file->from,
		     &load->handles[i], &file->failure) == 0)
		(void)batch_file_reserve(file, (size_t)file->facts.size_bytes);
	return 0;
}

static int
ask_all(struct sftp_load *load, struct error *err)
{
	for (size_t i = 0; i < load->batch->count; i++) {
		if (batch_file_is_wanted(&load->batch->files[i]) &&
		    send_open(load, i, err) < 0)
			return -1;
	}
	return 0;
}

static int
open_all(struct sftp_load *load, struct error *err)
{
	for (size_t i = 0; i < load->batch->count; i++) {
		if (batch_file_is_wanted(&load->batch->files[i]) &&
		    take_opened(load, i, err) < 0)
			return -1;
	}
	return 0;
}

static int
send_with_handle(struct sftp_load *load, size_t i, enum sftp_type type,
    struct sftp_pending *pending, struct error *err)
{
	struct sftp_packet packet;

	sftp_packet_start(&packet, type);
	sftp_put_handle(&packet, &load->handles[i]);
	return sftp_send(load->session, &packet, NULL, 0, pending, err);
}

static int
send_read(
    struct sftp_load *load, size_t i, struct read *read, struct error *err)
{
	struct sftp_packet packet;

	sftp_packet_start(&packet, SFTP_READ);
	sftp_put_handle(&packet, &load->handles[i]);
	sftp_put_u64(&packet, read->offset);
	sftp_put_u32(&packet, read->wanted);
	return sftp_send(load->session, &packet, NULL, 0, &read->pending, err);
}

static size_t
index_of(const struct sftp_load *load, const struct batch_file *file)
{
	return (size_t)(file - load->batch->files);
}

/* 1 when all that the file is to hold has come of this read, 0 when some is
 * missing, -1 when the file has failed. */
static int
judge_read(struct sftp_load *load, const struct read *read, size_t *ret_size)
{
	struct batch_file *file = read->file;
	size_t due = file->size_bytes - read->offset;
	struct sftp_cursor cursor = {0};
	const unsigned char *data;

	if (sftp_answer_is(&read->pending, SFTP_EOF) && due == 0)
		return 1;
	if (sftp_answer_is(&read->pending, SFTP_EOF))
		return error_set(&file->failure, ERROR_FAILED,
		    _("'%s%s' shrank while it was read"),
		    sftp_session_name(load->session), file->from);
	if (sftp_answer(&read->pending, SFTP_DATA, N_("cannot read"),
		file->from, &cursor, &file->failure) < 0)
		return -1;
	data = sftp_get_bytes(&cursor, ret_size);
	if (cursor.bad || *ret_size == 0 || *ret_size > read->wanted)
		return error_set(&file->failure, ERROR_FAILED,
		    _("'%s%s': %u bytes were asked for, %zu came"),
		    sftp_session_name(load->session), file->from, read->wanted,
		    *ret_size);
	if (*ret_size > due)
		load->more[index_of(load, file)] = true;
	if (due > read->wanted)
		due = read->wanted;
	memcpy(file->content + read->offset, data,
	    *ret_size < due ? *ret_size : due);
	return *ret_size >= due;
}

/* The oldest read that is on its way; what a short answer leaves is asked for
 * again. */
static int
finish_read(struct sftp_load *load, struct error *err)
{
	struct read *read = &load->reads[load->done % WINDOW];

	for (;;) {
		size_t size = 0;

		if (sftp_await(load->session, &read->pending, err) < 0)
			return -1;
		if (!batch_file_is_wanted(read->file) ||
		    judge_read(load, read, &size) != 0)
			break;
		read->offset += size;
		read->wanted -= (uint32_t)size;
		if (send_read(load, index_of(load, read->file), read, err) < 0)
			return -1;
	}
	load->done++;
	return 0;
}

static int
read_at(struct sftp_load *load, size_t i, size_t offset, size_t size,
    struct error *err)
{
	struct read *read = &load->reads[load->sent % WINDOW];

	if (load->sent - load->done == WINDOW && finish_read(load, err) < 0)
		return -1;
	read->file = &load->batch->files[i];
	read->offset = offset;
	read->wanted = (uint32_t)size;
	load->sent++;
	return send_read(load, i, read, err);
}

static int
read_file(struct sftp_load *load, size_t i, struct error *err)
{
	/* Behind the end nothing may come: in /proc it does. */
	size_t end = load->batch->files[i].size_bytes + 1;

	for (size_t offset = 0; offset < end; offset += READ_BYTES) {
		size_t count = end - offset;

		if (read_at(load, i, offset,
			count < READ_BYTES ? count : READ_BYTES, err) < 0)
			return -1;
	}
	load->looked_at[i] = true;
	return send_with_handle(load, i, SFTP_FSTAT, &load->about[i], err);
}

static bool
is_open(const struct sftp_load *load, size_t i)
{
	return load->handles[i].size > 0;
}

/* As many as may be on their way are when this ends. */
static int
read_all(struct sftp_load *load, struct error *err)
{
	for (size_t i = 0; i < load->batch->count; i++) {
		if (is_open(load, i) &&
		    batch_file_is_wanted(&load->batch->files[i]) &&
		    read_file(load, i, err) < 0)
			return -1;
	}
	return 0;
}

static int
finish_all(struct sftp_load *load, struct error *err)
{
	while (load->done < load->sent) {
		if (finish_read(load, err) < 0)
			return -1;
	}
	return 0;
}

static int
judge_file(struct sftp_load *load, size_t i, struct error *err)
{
	struct batch_file *file = &load->batch->files[i];
	struct sftp_attributes now = {0};

	if (sftp_await(load->session, &load->about[i], err) < 0)
		return -1;
	if (!batch_file_is_wanted(file) ||
	    sftp_answer_attributes(
		&load->about[i], file->from, &now, &file->failure) < 0)
		return 0;
	if (!S_ISREG(now.mode))
		refuse_kind(load, file);
	else if (now.size_bytes < file->size_bytes)
		error_set(&file->failure, ERROR_FAILED,
		    _("'%s%s' shrank while it was read"),
		    sftp_session_name(load->session), file->from);
	else if (now.size_bytes == file->size_bytes && load->more[i])
		error_set(&file->failure, ERROR_FAILED,
		    _("'%s%s' holds more than its size says: not a file on a "
		      "disk"),
		    sftp_session_name(load->session), file->from);
	else
		file->grew = now.size_bytes > file->size_bytes;
	return 0;
}

/* What is read is closed without waiting for it. */
static int
close_all(struct sftp_load *load, struct error *err)
{
	for (size_t i = 0; i < load->batch->count; i++) {
		if (!is_open(load, i))
			continue;
		if (load->looked_at[i] && judge_file(load, i, err) < 0)
			return -1;
		sftp_forget(load->session, &load->about[i]);
		if (send_with_handle(
			load, i, SFTP_CLOSE, &load->about[i], err) < 0)
			return -1;
	}
	return 0;
}

void
sftp_load_free(struct sftp_load *load)
{
	if (load == NULL)
		return;
	for (size_t i = 0; i < FILE_BATCH_MAX; i++)
		sftp_forget(load->session, &load->about[i]);
	for (size_t i = 0; i < WINDOW; i++)
		sftp_forget(load->session, &load->reads[i].pending);
	free(load);
}

struct sftp_load *
sftp_load_begin(
    struct sftp_session *session, struct file_batch *batch, struct error *err)
{
	struct sftp_load *load = calloc(1, sizeof(*load));

	if (load == NULL) {
		error_set_memory(err);
		return NULL;
	}
	load->session = session;
	load->batch = batch;
	if (sftp_session_ready(session, err) == 0) {
		sftp_cork(session);
		if (ask_all(load, err) == 0 && sftp_uncork(session, err) == 0)
			return load;
	}
	sftp_load_free(load);
	return NULL;
}

int
sftp_load_go_on(struct sftp_load *load, struct error *err)
{
	int result = load->opened ? finish_all(load, err) : open_all(load, err);
	int more = load->opened ? 0 : 1;

	if (result < 0)
		return -1;
	sftp_cork(load->session);
	result = load->opened ? close_all(load, err) : read_all(load, err);
	load->opened = true;
	if (result == 0)
		result = sftp_uncork(load->session, err);
	return result == 0 ? more : -1;
}
