#include "incus/sftp_answer.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "incus/sftp_session.h"

/* A message of a STATUS is shown to this length. */
#define STATUS_TEXT_BYTES 512U

/* A server's words for a plain failure say more than its code. */
static enum error_code
code_of_failure(const char *text)
{
	static const struct {
		const char *words;
		enum error_code code;
	} known[] = {
	    {"no space left", ERROR_NO_SPACE},
	    {"quota exceeded", ERROR_NO_SPACE}, {"file exists", ERROR_EXISTS},
	    {"resource busy", ERROR_EXISTS}, /* EBUSY: a mount point */
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcasestr(text, known[i].words) != NULL)
			return known[i].code;
	}
	return ERROR_FAILED;
}

static int
status_error(const struct sftp_session *session, struct sftp_cursor *cursor,
    const char *msgid, const char *path, struct error *err)
{
	const char *what = _(msgid);
	uint32_t code = sftp_get_u32(cursor);
	size_t size;
	const unsigned char *message = sftp_get_bytes(cursor, &size);
	char text[STATUS_TEXT_BYTES + 1] = {0};

	if (message != NULL)
		memcpy(text, message,
		    size < STATUS_TEXT_BYTES ? size : STATUS_TEXT_BYTES);
	switch (code) {
	case SFTP_NO_SUCH_FILE:
		return error_set(err, ERROR_NOT_FOUND,
		    _("%s '%s%s': no such file or directory"), what,
		    sftp_session_name(session), path);
	case SFTP_PERMISSION_DENIED:
		return error_set(err, ERROR_FAILED,
		    _("%s '%s%s': permission denied inside the instance"), what,
		    sftp_session_name(session), path);
	default:
		return error_set(err, code_of_failure(text), "%s '%s%s': %s",
		    what, sftp_session_name(session), path,
		    text[0] != '\0' ? text : _("the other side failed"));
	}
}

bool
sftp_answer_is(const struct sftp_pending *pending, enum sftp_status code)
{
	return pending->type == SFTP_STATUS && pending->payload_size >= 4 &&
	       sftp_load_u32(pending->payload) == code;
}

int
sftp_answer(const struct sftp_pending *pending, enum sftp_type expected,
    const char *what, const char *path, struct sftp_cursor *ret_cursor,
    struct error *err)
{
	const struct sftp_session *session = pending->session;
	struct sftp_cursor cursor = {
	    pending->payload, pending->payload_size, false};

	if (expected == SFTP_STATUS && sftp_answer_is(pending, SFTP_OK))
		return 0;
	if (pending->type == SFTP_STATUS)
		return status_error(session, &cursor, what, path, err);
	if (pending->type != expected || expected == SFTP_STATUS)
		return error_set(err, ERROR_FAILED,
		    _("'%s' does not speak SFTP properly: %s"),
		    sftp_session_name(session),
		    _("an answer of the wrong type"));
	*ret_cursor = cursor;
	return 0;
}
