#include "incus/sftp_store_steps.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/zeros.h"
#include "incus/sftp_answer.h"
#include "incus/sftp_path.h"

/* As sftp_writer.c: fewer, larger writes. */
#define WRITE_BYTES ((size_t)128 * 1024)

/* The bits of a mode that mean something for a regular file. */
#define MODE_BITS 06777U

#define SETUID_BITS 06000U

_Static_assert(FILE_BATCH_FILE_BYTES <= (ANSWERS_MAX - 1) * WRITE_BYTES,
    "all writes of a file go together");

/* What servers give a new file, whatever they are asked for (pkg/sftp 1.13.6,
 * server.go, sshFxpOpenPacket). */
#define FIRST_MODE 0644U

static bool
is_link(const struct item *item)
{
	return S_ISLNK(item->file->facts.mode);
}

static int
send_packet(struct sftp_store *store, struct item *item,
    struct sftp_packet *packet, struct error *err)
{
	return sftp_send(
	    store->session, packet, NULL, 0, &item->answers[item->sent++], err);
}

/* Every answer is an OK. */
static void
judge_all_done(struct sftp_store *store, struct item *item)
{
	struct sftp_cursor cursor;

	(void)store;
	for (size_t k = 0; k < item->sent; k++) {
		if (sftp_answer(&item->answers[k], SFTP_STATUS,
			N_("cannot write"), item->file->to, &cursor,
			&item->file->failure) < 0)
			return;
	}
}

/* A link is made whole at once. */
static int
send_create(struct sftp_store *store, struct item *item, struct error *err)
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
judge_create(struct sftp_store *store, struct item *item)
{
	if (is_link(item))
		judge_all_done(store, item);
	else
		(void)sftp_answer_handle(&item->answers[0], N_("cannot write"),
		    item->file->to, &item->handle, &item->file->failure);
}

static int
send_attributes(struct sftp_store *store, struct item *item,
    const struct sftp_attributes *attributes, struct error *err)
{
	struct sftp_packet packet;

	sftp_packet_start(&packet, SFTP_FSETSTAT);
	sftp_put_handle(&packet, &item->handle);
	sftp_put_attributes(&packet, attributes);
	return send_packet(store, item, &packet, err);
}

static int
send_owner(struct sftp_store *store, struct item *item, struct error *err)
{
	struct sftp_attributes owner = {
	    .flags = SFTP_HAS_OWNER,
	    .uid = (uint32_t)item->file->uid,
	    .gid = (uint32_t)item->file->gid,
	};

	return send_attributes(store, item, &owner, err);
}

/* At no moment may more people read the content than in the end: what becomes
 * more secret than new files are is so before. */
static bool
is_secret(const struct item *item)
{
	return (FIRST_MODE & ~item->file->mode) != 0;
}

/* Owner first, for chown(2) clears setuid; which comes last, for write(2) does
 * so, too. */
static int
send_secrecy(struct sftp_store *store, struct item *item, struct error *err)
{
	struct sftp_attributes mode = {
	    .flags = SFTP_HAS_MODE, .mode = item->file->mode & ~SETUID_BITS};

	if (is_link(item) || !is_secret(item))
		return 0;
	if (send_owner(store, item, err) < 0)
		return -1;
	return send_attributes(store, item, &mode, err);
}

static int
send_write(struct sftp_store *store, struct item *item, size_t offset,
    size_t count, struct error *err)
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
send_content(struct sftp_store *store, struct item *item, struct error *err)
{
	const struct batch_file *file = item->file;
	size_t size = is_link(item) ? 0 : file->size_bytes;

	/* A new file is root's already. */
	if (!is_link(item) && !is_secret(item) &&
	    (file->uid != 0 || file->gid != 0) &&
	    send_owner(store, item, err) < 0)
		return -1;
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

/* Mode and times together: of other combinations, pkg/sftp before 1.13.7 takes
 * the one for the other (server.go, sshFxpFsetstatPacket). */
static int
send_finish(struct sftp_store *store, struct item *item, struct error *err)
{
	struct sftp_attributes size = {
	    .flags = SFTP_HAS_SIZE, .size_bytes = item->file->size_bytes};
	struct sftp_attributes rest = {
	    .flags = SFTP_HAS_MODE | SFTP_HAS_TIMES,
	    .mode = item->file->mode,
	    .atime_s = (uint32_t)item->file->facts.atime_s,
	    .mtime_s = (uint32_t)item->file->facts.mtime_s,
	};
	struct sftp_packet packet;

	if (is_link(item))
		return 0;
	if (item->end_bytes < item->file->size_bytes &&
	    send_attributes(store, item, &size, err) < 0)
		return -1;
	if (send_attributes(store, item, &rest, err) < 0)
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
judge_finish(struct sftp_store *store, struct item *item)
{
	struct batch_file *file = item->file;
	struct sftp_attributes now = {0};
	struct sftp_cursor cursor;
	size_t stat = item->sent - 2; /* CLOSE is the last */

	for (size_t k = 0; k < item->sent; k++) {
		if (k != stat && sftp_answer(&item->answers[k], SFTP_STATUS,
				     N_("cannot write"), file->to, &cursor,
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
	item->wrong_owner =
	    now.uid != (uint32_t)file->uid || now.gid != (uint32_t)file->gid;
}

static int
send_change(struct sftp_store *store, struct item *item,
    const struct sftp_attributes *change, struct error *err)
{
	struct sftp_packet packet;

	sftp_packet_start(&packet, SFTP_SETSTAT);
	sftp_put_text(&packet, item->temporary);
	sftp_put_attributes(&packet, change);
	return send_packet(store, item, &packet, err);
}

/* In a directory with setgid a new file is not root's group's. The name is not
 * one that anybody could have foreseen. */
static int
send_correction(struct sftp_store *store, struct item *item, struct error *err)
{
	struct sftp_attributes owner = {
	    .flags = SFTP_HAS_OWNER,
	    .uid = (uint32_t)item->file->uid,
	    .gid = (uint32_t)item->file->gid,
	};
	struct sftp_attributes mode = {
	    .flags = SFTP_HAS_MODE, .mode = item->file->mode};

	if (!item->wrong_owner)
		return 0;
	if (send_change(store, item, &owner, err) < 0)
		return -1;
	return send_change(store, item, &mode, err);
}

static int
send_publish(struct sftp_store *store, struct item *item, struct error *err)
{
	struct sftp_packet packet;

	sftp_put_publish(
	    &packet, item->temporary, item->file->to, item->file->exclusive);
	return send_packet(store, item, &packet, err);
}

static void
judge_publish(struct sftp_store *store, struct item *item)
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

static int
send_look(struct sftp_store *store, struct item *item, struct error *err)
{
	struct sftp_packet packet;

	if (!item->file->look)
		return 0;
	sftp_packet_start(&packet, SFTP_LSTAT);
	sftp_put_text(&packet, item->file->to);
	return send_packet(store, item, &packet, err);
}

static void
judge_look(struct sftp_store *store, struct item *item)
{
	struct batch_file *file = item->file;
	struct sftp_attributes found = {0};

	(void)store;
	if (sftp_answer_look(
		&item->answers[0], file->to, &found, &file->failure) > 0)
		file->there = sftp_facts(&found);
	file->look = false;
}

const struct stage sftp_store_look_stage = {send_look, judge_look, false};

const struct stage sftp_store_stages[] = {
    {send_create, judge_create, false},
    {send_secrecy, judge_all_done, false},
    {send_content, judge_all_done, false},
    {send_finish, judge_finish, false},
    {send_correction, judge_all_done, false},
    {send_publish, judge_publish, true},
    {0},
};
