#include "incus/sftp_directory.h"

#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/sftp_answer.h"
#include "incus/sftp_path.h"
#include "incus/sftp_session.h"

static int
make_directory(
    struct sftp_session *session, const char *path, struct error *err)
{
	static const struct sftp_attributes plain = {
	    .flags = SFTP_HAS_MODE, .mode = 0755};
	auto_pending struct sftp_pending pending = {0};
	struct sftp_packet packet;
	struct sftp_cursor cursor;

	sftp_packet_start(&packet, SFTP_MKDIR);
	sftp_put_text(&packet, path);
	sftp_put_attributes(&packet, &plain);
	if (sftp_call(session, &packet, &pending, err) < 0)
		return -1;
	return sftp_answer(&pending, SFTP_STATUS,
	    N_("cannot make the directory"), path, &cursor, err);
}

/* One request about an open directory. */
static int
call_with_handle(struct sftp_session *session, enum sftp_type type,
    const struct sftp_handle *handle, const struct sftp_attributes *attributes,
    struct sftp_pending *ret_answer, struct error *err)
{
	struct sftp_packet packet;

	sftp_packet_start(&packet, type);
	sftp_put_handle(&packet, handle);
	if (attributes != NULL)
		sftp_put_attributes(&packet, attributes);
	return sftp_call(session, &packet, ret_answer, err);
}

/* Whether what was opened is what was made: as it was seen, and empty. */
static int
check_opened(struct sftp_session *session, const char *path,
    const struct sftp_handle *handle, const struct sftp_attributes *made,
    struct error *err)
{
	auto_pending struct sftp_pending about = {0};
	auto_pending struct sftp_pending first_name = {0};
	struct sftp_attributes opened = {0};

	if (call_with_handle(session, SFTP_FSTAT, handle, NULL, &about, err) <
		0 ||
	    sftp_answer_attributes(&about, path, &opened, err) < 0 ||
	    call_with_handle(
		session, SFTP_READDIR, handle, NULL, &first_name, err) < 0)
		return -1;
	if (!sftp_same_file(&opened, made) ||
	    !sftp_answer_is(&first_name, SFTP_EOF))
		return error_set(err, ERROR_FAILED,
		    _("'%s%s' was replaced while it was made"),
		    sftp_session_name(session), path);
	return 0;
}

/* Whoever owns the directory above may put a link to anything in the new one's
 * place at any moment: so the owner is changed by a handle, and only after it
 * has been looked at what that handle is. */
static int
change_owner(struct sftp_session *session, const char *path,
    const struct sftp_attributes *made, const struct sftp_attributes *owner,
    struct error *err)
{
	auto_pending struct sftp_pending changed = {0};
	auto_pending struct sftp_pending closed = {0};
	struct sftp_attributes wanted = {
	    .flags = SFTP_HAS_OWNER, .uid = owner->uid, .gid = owner->gid};
	struct sftp_packet packet;
	struct sftp_cursor cursor;
	struct sftp_handle handle = {0};

	sftp_packet_start(&packet, SFTP_OPENDIR);
	sftp_put_text(&packet, path);
	if (sftp_call_handle(
		session, &packet, N_("cannot open"), path, &handle, err) < 0 ||
	    check_opened(session, path, &handle, made, err) < 0 ||
	    call_with_handle(
		session, SFTP_FSETSTAT, &handle, &wanted, &changed, err) < 0 ||
	    sftp_answer(&changed, SFTP_STATUS, N_("cannot give an owner to"),
		path, &cursor, err) < 0)
		return -1;
	return call_with_handle(
	    session, SFTP_CLOSE, &handle, NULL, &closed, err);
}

/* A new directory in `above`. */
static int
make_in(struct sftp_session *session, const char *path,
    const struct sftp_attributes *above, struct sftp_attributes *ret_found,
    struct error *err)
{
	struct sftp_attributes made = {0};

	if (make_directory(session, path, err) < 0 ||
	    sftp_lstat(session, path, &made, err) < 0)
		return -1;
	if (S_ISDIR(made.mode) &&
	    (made.uid != above->uid || made.gid != above->gid)) {
		if (change_owner(session, path, &made, above, err) < 0)
			return -1;
		made.uid = above->uid;
		made.gid = above->gid;
	}
	*ret_found = made;
	return 0;
}

int
sftp_make_directories(struct sftp_session *session, const char *path,
    struct sftp_attributes *ret_found, struct error *err)
{
	auto_free char *partial = text_copy(path, strlen(path), err);
	struct sftp_attributes above = {0};

	if (partial == NULL || sftp_stat(session, "/", &above, err) < 0)
		return -1;
	for (char *end = partial; *end != '\0';) {
		struct sftp_attributes found = {0};
		int there;
		char kept;

		end++;
		end += strcspn(end, "/");
		kept = *end;
		*end = '\0';
		there = sftp_look(session, partial, &found, err);
		if (there < 0 || (there == 0 && make_in(session, partial,
						    &above, &found, err) < 0))
			return -1;
		if (!S_ISDIR(found.mode))
			return error_set(err, ERROR_FAILED,
			    _("'%s%s' is not a directory"),
			    sftp_session_name(session), partial);
		*end = kept;
		above = found;
	}
	*ret_found = above;
	return 0;
}
