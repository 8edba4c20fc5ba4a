#include "incus/sftp_path.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/sftp_answer.h"
#include "incus/sftp_session.h"
#include "stream/file_batch.h"

int
sftp_answer_attributes(const struct sftp_pending *answer, const char *path,
    struct sftp_attributes *ret_attributes, struct error *err)
{
	struct sftp_cursor cursor = {0};
	struct sftp_attributes found = {0};

	if (sftp_answer(answer, SFTP_ATTRS, N_("cannot look at"), path, &cursor,
		err) < 0)
		return -1;
	sftp_get_attributes(&cursor, &found);
	if (cursor.bad)
		return error_set(err, ERROR_FAILED,
		    _("'%s%s': malformed attributes"),
		    sftp_session_name(answer->session), path);
	*ret_attributes = found;
	return 0;
}

struct file_facts
sftp_facts(const struct sftp_attributes *found)
{
	return (struct file_facts){
	    .mode = found->mode,
	    .uid = found->uid,
	    .gid = found->gid,
	    .size_bytes = found->size_bytes,
	    .atime_s = found->atime_s,
	    .mtime_s = found->mtime_s,
	};
}

static int
absent_is_zero(int result, struct error *err)
{
	if (result == 0)
		return 1;
	if (err->code != ERROR_NOT_FOUND)
		return -1;
	error_clear(err);
	return 0;
}

int
sftp_answer_look(const struct sftp_pending *answer, const char *path,
    struct sftp_attributes *ret_attributes, struct error *err)
{
	return absent_is_zero(
	    sftp_answer_attributes(answer, path, ret_attributes, err), err);
}

int
sftp_answer_handle(const struct sftp_pending *answer, const char *what,
    const char *path, struct sftp_handle *ret_handle, struct error *err)
{
	struct sftp_cursor cursor = {0};
	const unsigned char *handle;
	size_t size;

	if (sftp_answer(answer, SFTP_HANDLE, what, path, &cursor, err) < 0)
		return -1;
	handle = sftp_get_bytes(&cursor, &size);
	if (cursor.bad || size == 0 || size > SFTP_HANDLE_MAX_BYTES)
		return error_set(err, ERROR_FAILED,
		    _("'%s%s': an impossible handle"),
		    sftp_session_name(answer->session), path);
	memcpy(ret_handle->bytes, handle, size);
	ret_handle->size = size;
	ret_handle->path = path;
	return 0;
}

int
sftp_call_handle(struct sftp_session *session, struct sftp_packet *packet,
    const char *what, const char *path, struct sftp_handle *ret_handle,
    struct error *err)
{
	auto_pending struct sftp_pending pending = {0};

	if (sftp_call(session, packet, &pending, err) < 0)
		return -1;
	return sftp_answer_handle(&pending, what, path, ret_handle, err);
}

static int
ask_attributes(struct sftp_session *session, enum sftp_type type,
    const char *path, struct sftp_attributes *ret_attributes, struct error *err)
{
	auto_pending struct sftp_pending pending = {0};
	struct sftp_packet packet;

	sftp_packet_start(&packet, type);
	sftp_put_text(&packet, path);
	if (sftp_call(session, &packet, &pending, err) < 0)
		return -1;
	return sftp_answer_attributes(&pending, path, ret_attributes, err);
}

int
sftp_stat(struct sftp_session *session, const char *path,
    struct sftp_attributes *ret_attributes, struct error *err)
{
	return ask_attributes(session, SFTP_STAT, path, ret_attributes, err);
}

int
sftp_lstat(struct sftp_session *session, const char *path,
    struct sftp_attributes *ret_attributes, struct error *err)
{
	return ask_attributes(session, SFTP_LSTAT, path, ret_attributes, err);
}

int
sftp_look(struct sftp_session *session, const char *path,
    struct sftp_attributes *ret_attributes, struct error *err)
{
	return absent_is_zero(
	    sftp_stat(session, path, ret_attributes, err), err);
}

char *
sftp_parent(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path)
		return text_copy("/", 1, err);
	return text_copy(path, (size_t)(slash - path), err);
}

/* 128 random bits: nobody can be waiting there. */
char *
sftp_temporary(const char *path, struct error *err)
{
	auto_free char *parent = sftp_parent(path, err);
	char random[33];

	if (parent == NULL || text_random_hex(random, 32, err) < 0)
		return NULL;
	return text_format(err, "%s/.anklume-%s.part",
	    strcmp(parent, "/") == 0 ? "" : parent, random);
}

bool
sftp_same_file(const struct sftp_attributes *a, const struct sftp_attributes *b)
{
	return a->size_bytes == b->size_bytes && a->mode == b->mode &&
	       a->uid == b->uid && a->gid == b->gid && a->mtime_s == b->mtime_s;
}

int
sftp_answer_link(const struct sftp_pending *answer, const char *path,
    const char **ret_target, size_t *ret_size, struct error *err)
{
	struct sftp_cursor cursor = {0};
	const unsigned char *target;
	size_t size;
	uint32_t count;

	if (sftp_answer(answer, SFTP_NAME, N_("cannot read the link"), path,
		&cursor, err) < 0)
		return -1;
	count = sftp_get_u32(&cursor);
	target = sftp_get_bytes(&cursor, &size);
	if (cursor.bad || count != 1 || size == 0 ||
	    size >= SFTP_PATH_MAX_BYTES || memchr(target, '\0', size) != NULL)
		return error_set(err, ERROR_FAILED,
		    _("'%s%s': the link's target is not a path"),
		    sftp_session_name(answer->session), path);
	*ret_target = (const char *)target;
	*ret_size = size;
	return 0;
}

char *
sftp_read_link(
    struct sftp_session *session, const char *path, struct error *err)
{
	auto_pending struct sftp_pending pending = {0};
	struct sftp_packet packet;
	const char *target = "";
	size_t size = 0;

	sftp_packet_start(&packet, SFTP_READLINK);
	sftp_put_text(&packet, path);
	if (sftp_call(session, &packet, &pending, err) < 0 ||
	    sftp_answer_link(&pending, path, &target, &size, err) < 0)
		return NULL;
	return text_copy(target, size, err);
}

int
sftp_remove(struct sftp_session *session, const char *path, struct error *err)
{
	auto_pending struct sftp_pending pending = {0};
	struct sftp_packet packet;
	struct sftp_cursor cursor;

	sftp_packet_start(&packet, SFTP_REMOVE);
	sftp_put_text(&packet, path);
	if (sftp_call(session, &packet, &pending, err) < 0)
		return -1;
	return sftp_answer(
	    &pending, SFTP_STATUS, N_("cannot remove"), path, &cursor, err);
}

/* OpenSSH, PROTOCOL, sections 3.3 and 4.2. */
static const char *
publish_extension(bool exclusive)
{
	return exclusive ? "hardlink@openssh.com" : "posix-rename@openssh.com";
}

int
sftp_can_publish(
    const struct sftp_session *session, bool exclusive, struct error *err)
{
	const char *extension = publish_extension(exclusive);

	if (sftp_session_has(session, extension))
		return 0;
	return error_set(err, ERROR_FAILED,
	    _("'%s' cannot rename as a whole: its server lacks %s"),
	    sftp_session_name(session), extension);
}

void
sftp_put_publish(struct sftp_packet *packet, const char *from, const char *to,
    bool exclusive)
{
	sftp_packet_start(packet, SFTP_EXTENDED);
	sftp_put_text(packet, publish_extension(exclusive));
	sftp_put_text(packet, from);
	sftp_put_text(packet, to);
}

int
sftp_answer_publish(const struct sftp_pending *answer, const char *to,
    bool exclusive, struct error *err)
{
	struct sftp_cursor cursor;

	if (sftp_answer(
		answer, SFTP_STATUS, N_("cannot write"), to, &cursor, err) == 0)
		return 0;
	/* What is there is no obstacle, unless something is mounted on it. */
	if (exclusive || err->code != ERROR_EXISTS)
		return -1;
	error_clear(err);
	error_set(err, ERROR_EXISTS,
	    _("'%s%s' is a mount point: no file can take its place"),
	    sftp_session_name(answer->session), to);
	return error_hint(err, _("--in-place writes into the file itself"));
}

/* With `exclusive` it has both names then. */
static int
publish(struct sftp_session *session, const char *from, const char *to,
    bool exclusive, struct error *err)
{
	auto_pending struct sftp_pending pending = {0};
	struct sftp_packet packet;

	if (sftp_can_publish(session, exclusive, err) < 0)
		return -1;
	sftp_put_publish(&packet, from, to, exclusive);
	return sftp_call(session, &packet, &pending, err) < 0
		   ? -1
		   : sftp_answer_publish(&pending, to, exclusive, err);
}

int
sftp_publish(struct sftp_session *session, const char *from, const char *to,
    bool exclusive, struct error *err)
{
	if (publish(session, from, to, exclusive, err) < 0)
		return -1;
	return exclusive ? sftp_remove(session, from, err) : 0;
}

int
sftp_link(struct sftp_session *session, const char *from, const char *to,
    struct error *err)
{
	auto_free char *temporary = sftp_temporary(to, err);
	struct error ignored = {0};
	int result;

	if (temporary == NULL ||
	    publish(session, from, temporary, true, err) < 0)
		return -1;
	result = publish(session, temporary, to, false, err);
	/* Of two names of one file rename(2) removes none. */
	(void)sftp_remove(session, temporary, &ignored);
	return result;
}
