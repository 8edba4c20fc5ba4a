#include "incus/sftp_path.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/sftp_answer.h"
#include "incus/sftp_session.h"

int
sftp_answer_attributes(const struct sftp_pending *answer, const char *path,
    struct sftp_attributes *ret_attributes, struct error *err)
{
	struct sftp_cursor cursor = {0};
	struct sftp_attributes found = {0};

	if (sftp_answer(answer, SFTP_ATTRS, _("cannot look at"), path, &cursor,
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
sftp_call_handle(struct sftp_session *session, struct sftp_packet *packet,
    const char *what, const char *path, struct sftp_handle *ret_handle,
    struct error *err)
{
	auto_pending struct sftp_pending pending = {0};
	struct sftp_cursor cursor = {0};
	const unsigned char *handle;
	size_t size;

	if (sftp_call(session, packet, &pending, err) < 0 ||
	    sftp_answer(&pending, SFTP_HANDLE, what, path, &cursor, err) < 0)
		return -1;
	handle = sftp_get_bytes(&cursor, &size);
	if (cursor.bad || size == 0 || size > SFTP_HANDLE_MAX_BYTES)
		return error_set(err, ERROR_FAILED,
		    _("'%s%s': an impossible handle"),
		    sftp_session_name(session), path);
	memcpy(ret_handle->bytes, handle, size);
	ret_handle->size = size;
	return 0;
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

bool
sftp_same_file(const struct sftp_attributes *a, const struct sftp_attributes *b)
{
	return a->size_bytes == b->size_bytes && a->mode == b->mode &&
	       a->uid == b->uid && a->gid == b->gid && a->mtime_s == b->mtime_s;
}

char *
sftp_read_link(
    struct sftp_session *session, const char *path, struct error *err)
{
	auto_pending struct sftp_pending pending = {0};
	struct sftp_packet packet;
	struct sftp_cursor cursor = {0};
	const unsigned char *target;
	size_t size;
	uint32_t count;

	sftp_packet_start(&packet, SFTP_READLINK);
	sftp_put_text(&packet, path);
	if (sftp_call(session, &packet, &pending, err) < 0 ||
	    sftp_answer(&pending, SFTP_NAME, _("cannot read the link"), path,
		&cursor, err) < 0)
		return NULL;

	count = sftp_get_u32(&cursor);
	target = sftp_get_bytes(&cursor, &size);
	if (cursor.bad || count != 1 || size == 0 ||
	    size >= SFTP_PATH_MAX_BYTES || memchr(target, '\0', size) != NULL) {
		error_set(err, ERROR_FAILED,
		    _("'%s%s': the link's target is not a path"),
		    sftp_session_name(session), path);
		return NULL;
	}
	return text_copy((const char *)target, size, err);
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
	    &pending, SFTP_STATUS, _("cannot remove"), path, &cursor, err);
}

static int
extended_pair(struct sftp_session *session, const char *extension,
    const char *from, const char *to, struct error *err)
{
	auto_pending struct sftp_pending pending = {0};
	struct sftp_packet packet;
	struct sftp_cursor cursor;

	if (!sftp_session_has(session, extension))
		return error_set(err, ERROR_FAILED,
		    _("'%s' cannot rename as a whole: its server lacks %s"),
		    sftp_session_name(session), extension);
	sftp_packet_start(&packet, SFTP_EXTENDED);
	sftp_put_text(&packet, extension);
	sftp_put_text(&packet, from);
	sftp_put_text(&packet, to);
	if (sftp_call(session, &packet, &pending, err) < 0)
		return -1;
	return sftp_answer(
	    &pending, SFTP_STATUS, _("cannot write"), to, &cursor, err);
}

int
sftp_publish(struct sftp_session *session, const char *from, const char *to,
    bool exclusive, struct error *err)
{
	if (!exclusive)
		return extended_pair(
		    session, "posix-rename@openssh.com", from, to, err);
	if (extended_pair(session, "hardlink@openssh.com", from, to, err) < 0)
		return -1;
	return sftp_remove(session, from, err);
}
