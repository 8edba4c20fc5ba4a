#include "incus/sftp_store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/zeros.h"
#include "incus/sftp_answer.h"
#include "incus/sftp_path.h"
#include "incus/sftp_read_back.h"
#include "incus/sftp_session.h"
#include "incus/sftp_wire.h"
#include "stream/file_batch.h"

/* As sftp_writer.c: fewer, larger writes. */
#define WRITE_BYTES ((size_t)128 * 1024)

/* The bits of a mode that mean something for a regular file. */
#define MODE_BITS 06777U

#define SETUID_BITS 06000U

/* What one file may have on its way at once: its writes; or what ends it, which
 * is three FSETSTAT, FSTAT and CLOSE. */
#define ANSWERS_MAX 5

_Static_assert(FILE_BATCH_FILE_BYTES <= ANSWERS_MAX * WRITE_BYTES,
    "all writes of a file go together");

/* One file on its way. */
struct item {
	struct batch_file *file;
	char *temporary; /* path; NULL while it is not there */
	struct sftp_handle handle;
	struct sftp_pending answers[ANSWERS_MAX];
	size_t sent;
	size_t end_bytes; /* of what has been written, without holes */
};

struct store {
	struct sftp_session *session;
	size_t count;
	struct item items[FILE_BATCH_MAX];
};

/* Send something for one file; and hear what came of it. */
typedef int item_sender(
    struct store *store, struct item *item, struct error *err);
typedef void item_judge(struct store *store, struct item *item);

static bool
is_link(const struct item *item)
{
	return S_ISLNK(item->file->facts.mode);
}

static int
send_packet(struct store *store, struct item *item, struct sftp_packet *packet,
    struct error *err)
{
	return sftp_send(
	    store->session, packet, NULL, 0, &item->answers[item->sent++], err);
}

/* All files take one step together: a round trip for the batch. */
static int
step(struct store *store, item_sender *send, item_judge *judge,
    struct error *err)
{
	for (size_t i = 0; i < store->count; i++) {
		struct item *item = &store->items[i];

		item->sent = 0;
		if (batch_file_is_wanted(item->file) &&
		    send(store, item, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < store->count; i++) {
		struct item *item = &store->items[i];

		for (size_t k = 0; k < item->sent; k++) {
			if (sftp_await(store->session, &item->answers[k], err) <
			    0)
				return -1;
		}
		if (item->sent > 0)
			judge(store, item);
	}
	return 0;
}

/* Every answer is an OK. */
static void
judge_all_done(struct store *store, struct item *item)
{
	struct sftp_cursor cursor;

	(void)store;
	for (size_t k = 0; k < item->sent; k++) {
		if (sftp_answer(&item->answers[k], SFTP_STATUS,
			_("cannot write"), item->file->to, &cursor,
			&item->file->failure) < 0)
			return;
	}
}

/* A link is made whole at once. */
static int
send_create(struct store *store, struct item *item, struct error *err)
{
	static const struct sftp_attributes secret = {
	    .flags = SFTP_HAS_MODE, .mode = 0600};
	struct sftp_packet packet;

	item->temporary = sftp_temporary(item->file->to, err);
	if (item->temporary == NULL)
		return -1;
	if (is_link(item)) {
		/* The target first: OpenSSH's order, and pkg/sftp's. */
		sftp_packet_start(&packet, SFTP_SYMLINK);
		sftp_put_bytes(
		    &packet, item->file->content, item->file->size_bytes);
		sftp_put_text(&packet, item->temporary);
		return send_packet(store, item, &packet, err);
	}
	sftp_packet_start(&packet, SFTP_OPEN);
	sftp_put_text(&packet, item->temporary);
	sftp_put_u32(
	    &packet, SFTP_OPEN_WRITE | SFTP_OPEN_CREATE | SFTP_OPEN_EXCLUSIVE);
	sftp_put_attributes(&packet, &secret);
	return send_packet(store, item, &packet, err);
}

static void
judge_create(struct store *store, struct item *item)
{
	if (is_link(item))
		judge_all_done(store, item);
	else
		(void)sftp_answer_handle(&item->answers[0], _("cannot write"),
		    item->file->to, &item->handle, &item->file->failure);
}

static int
send_attributes(struct store *store, struct item *item,
    const struct sftp_attributes *attributes, struct error *err)
{
	struct sftp_packet packet;

	sftp_packet_start(&packet, SFTP_FSETSTAT);
	sftp_put_handle(&packet, &item->handle);
	sftp_put_attributes(&packet, attributes);
	return send_packet(store, item, &packet, err);
}

/* Owner and mode before the content: at no moment may more people read it than
 * in the end. One kind of attribute in a request: of several, pkg/sftp takes
 * the times for the owner (server.go, sshFxpFsetstatPacket). Owner first, for
 * chown(2) clears setuid. */
static int
send_owner(struct store *store, struct item *item, struct error *err)
{
	const struct batch_file *file = item->file;
	struct sftp_attributes owner = {
	    .flags = SFTP_HAS_OWNER,
	    .uid = (uint32_t)file->uid,
	    .gid = (uint32_t)file->gid,
	};
	struct sftp_attributes mode = {
	    .flags = SFTP_HAS_MODE, .mode = file->mode & ~SETUID_BITS};

	if (is_link(item))
		return 0;
	if (send_attributes(store, item, &owner, err) < 0)
		return -1;
	return send_attributes(store, item, &mode, err);
}

static int
send_write(struct store *store, struct item *item, size_t offset, size_t count,
    struct error *err)
{
	struct sftp_packet packet;

	sftp_packet_start(&packet, SFTP_WRITE);
	sftp_put_handle(&packet, &item->handle);
	sftp_put_u64(&packet, offset);
	sftp_put_u32(&packet, (uint32_t)count);
	item->end_bytes = offset + count;
	return sftp_send(store->session, &packet, item->file->content + offset,
	    count, &item->answers[item->sent++], err);
}

/* Zeros are left out, and become holes (zeros.h). */
static int
send_content(struct store *store, struct item *item, struct error *err)
{
	const struct batch_file *file = item->file;
	size_t size = is_link(item) ? 0 : file->size_bytes;

	for (size_t offset = 0; offset < size; offset += WRITE_BYTES) {
		size_t left = size - offset;
		size_t begin;
		size_t count = zeros_trim(file->content + offset,
		    left < WRITE_BYTES ? left : WRITE_BYTES, &begin);

		if (count > 0 &&
		    send_write(store, item, offset + begin, count, err) < 0)
			return -1;
	}
	return 0;
}

static int
send_finish(struct store *store, struct item *item, struct error *err)
{
	struct sftp_attributes times = {
	    .flags = SFTP_HAS_TIMES,
	    .atime_s = (uint32_t)item->file->facts.atime_s,
	    .mtime_s = (uint32_t)item->file->facts.mtime_s,
	};
	struct sftp_attributes mode = {
	    .flags = SFTP_HAS_MODE, .mode = item->file->mode};
	struct sftp_attributes size = {
	    .flags = SFTP_HAS_SIZE, .size_bytes = item->file->size_bytes};
	struct sftp_packet packet;

	if (is_link(item))
		return 0;
	if (item->end_bytes < item->file->size_bytes &&
	    send_attributes(store, item, &size, err) < 0)
		return -1;
	/* write(2) clears setuid, too. */
	if ((mode.mode & SETUID_BITS) != 0 &&
	    send_attributes(store, item, &mode, err) < 0)
		return -1;
	if (send_attributes(store, item, &times, err) < 0)
		return -1;
	sftp_packet_start(&packet, SFTP_FSTAT);
	sftp_put_handle(&packet, &item->handle);
	if (send_packet(store, item, &packet, err) < 0)
		return -1;
	sftp_packet_start(&packet, SFTP_CLOSE);
	sftp_put_handle(&packet, &item->handle);
	item->handle.size = 0;
	return send_packet(store, item, &packet, err);
}

static void
judge_finish(struct store *store, struct item *item)
{
	struct batch_file *file = item->file;
	struct sftp_attributes now = {0};
	struct sftp_cursor cursor;
	size_t stat = item->sent - 2; /* CLOSE is the last */

	for (size_t k = 0; k < item->sent; k++) {
		if (k != stat && sftp_answer(&item->answers[k], SFTP_STATUS,
				     _("cannot write"), file->to, &cursor,
				     &file->failure) < 0)
			return;
	}
	if (sftp_answer_attributes(
		&item->answers[stat], file->to, &now, &file->failure) < 0)
		return;
	if (now.size_bytes != file->size_bytes)
		error_set(&file->failure, ERROR_FAILED,
		    _("'%s%s': %llu bytes were written, but %llu are there"),
		    sftp_session_name(store->session), file->to,
		    (unsigned long long)file->size_bytes,
		    (unsigned long long)now.size_bytes);
	else if ((now.mode & MODE_BITS) != (file->mode & MODE_BITS))
		error_set(&file->failure, ERROR_FAILED,
		    _("'%s%s': Incus cannot set the mode %04o: it becomes "
		      "%04o"),
		    sftp_session_name(store->session), file->to,
		    file->mode & MODE_BITS, now.mode & MODE_BITS);
}

static int
read_back(struct store *store, struct file_batch *batch, struct error *err)
{
	char *paths[FILE_BATCH_MAX];

	for (size_t i = 0; i < store->count; i++)
		paths[i] = store->items[i].temporary;
	return sftp_read_back(store->session, batch, paths, err);
}

static int
send_publish(struct store *store, struct item *item, struct error *err)
{
	struct sftp_packet packet;

	sftp_put_publish(
	    &packet, item->temporary, item->file->to, item->file->exclusive);
	return send_packet(store, item, &packet, err);
}

static void
judge_publish(struct store *store, struct item *item)
{
	struct batch_file *file = item->file;

	(void)store;
	if (sftp_answer_publish(&item->answers[0], file->to, file->exclusive,
		&file->failure) == 0 &&
	    !file->exclusive) {
		free(item->temporary);
		item->temporary = NULL;
	}
}

/* What has a temporary name still: of a file that failed, or the second name of
 * one that was linked. Removing does not wait for writes; the server closes
 * handles with the session. */
static void
remove_temporaries(struct store *store)
{
	struct error ignored = {0};

	interrupt_shield_up();
	for (size_t i = 0; i < store->count; i++) {
		struct item *item = &store->items[i];

		error_clear(&ignored);
		if (item->temporary != NULL &&
		    !sftp_session_broken(store->session))
			(void)sftp_remove(
			    store->session, item->temporary, &ignored);
	}
	interrupt_shield_down();
}

static void
store_free(struct store *store)
{
	remove_temporaries(store);
	for (size_t i = 0; i < store->count; i++) {
		struct item *item = &store->items[i];

		for (size_t k = 0; k < ANSWERS_MAX; k++)
			sftp_forget(store->session, &item->answers[k]);
		free(item->temporary);
	}
	free(store);
}

/* A file that failed half-way through leaves its handle open. */
static int
send_close(struct store *store, struct error *err)
{
	for (size_t i = 0; i < store->count; i++) {
		struct item *item = &store->items[i];
		struct sftp_packet packet;

		if (item->handle.size == 0)
			continue;
		sftp_packet_start(&packet, SFTP_CLOSE);
		sftp_put_handle(&packet, &item->handle);
		if (sftp_call(store->session, &packet, &item->answers[0], err) <
		    0)
			return -1;
	}
	return 0;
}

static struct store *
store_new(
    struct sftp_session *session, struct file_batch *batch, struct error *err)
{
	struct store *store = calloc(1, sizeof(*store));

	if (store == NULL) {
		error_set_memory(err);
		return NULL;
	}
	store->session = session;
	store->count = batch->count;
	for (size_t i = 0; i < batch->count; i++)
		store->items[i].file = &batch->files[i];
	return store;
}

static int
send_look(struct store *store, struct item *item, struct error *err)
{
	struct sftp_packet packet;

	if (!item->file->look)
		return 0;
	sftp_packet_start(&packet, SFTP_LSTAT);
	sftp_put_text(&packet, item->file->to);
	return send_packet(store, item, &packet, err);
}

static void
judge_look(struct store *store, struct item *item)
{
	struct batch_file *file = item->file;
	struct sftp_attributes found = {0};

	(void)store;
	if (sftp_answer_look(
		&item->answers[0], file->to, &found, &file->failure) > 0)
		file->there = sftp_facts(&found);
	file->look = false;
}

int
sftp_store_look(
    struct sftp_session *session, struct file_batch *batch, struct error *err)
{
	struct store *store = store_new(session, batch, err);
	int result;

	if (store == NULL)
		return -1;
	result = step(store, send_look, judge_look, err);
	store_free(store);
	return result;
}

int
sftp_store(
    struct sftp_session *session, struct file_batch *batch, struct error *err)
{
	struct store *store = store_new(session, batch, err);
	bool exclusive = batch->count > 0 && batch->files[0].exclusive;
	int result;

	if (store == NULL)
		return -1;
	result = sftp_can_publish(session, exclusive, err);
	if (result == 0)
		result = step(store, send_create, judge_create, err);
	if (result == 0)
		result = step(store, send_owner, judge_all_done, err);
	if (result == 0)
		result = step(store, send_content, judge_all_done, err);
	if (result == 0)
		result = step(store, send_finish, judge_finish, err);
	if (result == 0)
		result = read_back(store, batch, err);
	if (result == 0)
		result = step(store, send_publish, judge_publish, err);
	if (result == 0)
		result = send_close(store, err);
	store_free(store);
	return result;
}
