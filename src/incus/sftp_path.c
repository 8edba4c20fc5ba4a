#include "incus/sftp_path.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/sftp_session.h"

/* Linux, include/linux/namei.h, MAXSYMLINKS. */
#define SYMLINKS_MAX 40

static int
ask_attributes(struct sftp_session *session, enum sftp_type type,
    const char *path, struct sftp_attributes *ret_attributes, struct error *err)
{
	auto_pending struct sftp_pending pending = {0};
	struct sftp_packet packet;
	struct sftp_cursor cursor = {0};
	struct sftp_attributes found = {0};

	sftp_packet_start(&packet, type);
	sftp_put_text(&packet, path);
	if (sftp_call(session, &packet, &pending, err) < 0 ||
	    sftp_answer(&pending, SFTP_ATTRS, _("cannot look at"), path,
		&cursor, err) < 0)
		return -1;

	sftp_get_attributes(&cursor, &found);
	if (cursor.bad)
		return error_set(err, ERROR_FAILED,
		    _("'%s%s': malformed attributes"),
		    sftp_session_name(session), path);
	*ret_attributes = found;
	return 0;
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

/* The raw text of a symlink. Heap. */
static char *
read_link(struct sftp_session *session, const char *path, struct error *err)
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

/* A path on its way to being resolved. */
struct walk {
	struct sftp_session *session;
	const char *asked;
	char *done; /* resolved so far, without a trailing slash; "" is "/" */
	char *rest; /* still to be walked */
	int hops;
	bool missing; /* nothing lies at `done`: nothing below it can be a link
		       */
};

/* Go one component up. */
static void
walk_up(struct walk *walk)
{
	char *slash = strrchr(walk->done, '/');

	if (slash != NULL)
		*slash = '\0';
}

/* `name` is a symlink in `done`: its target takes the front of the rest. */
static int
walk_link(struct walk *walk, const char *link, struct error *err)
{
	auto_free char *target = read_link(walk->session, link, err);
	char *longer;

	if (target == NULL)
		return -1;
	if (++walk->hops > SYMLINKS_MAX)
		return error_set(err, ERROR_FAILED,
		    _("'%s%s': too many levels of symbolic links"),
		    sftp_session_name(walk->session), walk->asked);
	longer = text_format(err, "%s/%s", target, walk->rest);
	if (longer == NULL)
		return -1;
	if (strlen(longer) >= SFTP_PATH_MAX_BYTES) {
		free(longer);
		return error_set(err, ERROR_FAILED,
		    _("'%s%s': the path is too long"),
		    sftp_session_name(walk->session), walk->asked);
	}
	if (*target == '/')
		walk->done[0] = '\0';
	free(walk->rest);
	walk->rest = longer;
	return 0;
}

/* Take the next component off the rest. */
static int
walk_step(struct walk *walk, struct error *err)
{
	size_t skip = strspn(walk->rest, "/");
	size_t length = strcspn(walk->rest + skip, "/");
	auto_free char *name = text_copy(walk->rest + skip, length, err);
	auto_free char *next = NULL;
	struct sftp_attributes found = {0};
	int there = 0;

	if (name == NULL)
		return -1;
	memmove(walk->rest, walk->rest + skip + length,
	    strlen(walk->rest + skip + length) + 1);
	if (length == 0 || strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		walk_up(walk);
		walk->missing = false;
		return 0;
	}

	next = text_format(err, "%s/%s", walk->done, name);
	if (next == NULL)
		return -1;
	if (!walk->missing)
		there = absent_is_zero(
		    sftp_lstat(walk->session, next, &found, err), err);
	if (there < 0)
		return -1;
	if (there > 0 && S_ISLNK(found.mode))
		return walk_link(walk, next, err);
	walk->missing = there == 0;
	free(walk->done);
	walk->done = steal(next);
	return 0;
}

char *
sftp_resolve(struct sftp_session *session, const char *path, struct error *err)
{
	struct walk walk = {.session = session, .asked = path};
	int result = 0;

	walk.done = text_copy("", 0, err);
	walk.rest =
	    walk.done != NULL ? text_copy(path, strlen(path), err) : NULL;
	if (walk.rest == NULL)
		result = -1;
	while (result == 0 && *walk.rest != '\0')
		result = walk_step(&walk, err);
	free(walk.rest);
	if (result == 0 && *walk.done == '\0') {
		free(walk.done);
		walk.done = text_copy("/", 1, err);
	}
	if (result < 0) {
		free(walk.done);
		return NULL;
	}
	return walk.done;
}

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
	    _("cannot make the directory"), path, &cursor, err);
}

int
sftp_make_directories(
    struct sftp_session *session, const char *path, struct error *err)
{
	auto_free char *partial = text_copy(path, strlen(path), err);

	if (partial == NULL)
		return -1;
	for (char *end = partial; end != NULL && *end != '\0';) {
		struct sftp_attributes found = {0};
		int there;
		char kept;

		end++;
		end += strcspn(end, "/");
		kept = *end;
		*end = '\0';
		there = sftp_look(session, partial, &found, err);
		if (there < 0 ||
		    (there == 0 && make_directory(session, partial, err) < 0))
			return -1;
		if (there > 0 && !S_ISDIR(found.mode))
			return error_set(err, ERROR_FAILED,
			    _("'%s%s' is not a directory"),
			    sftp_session_name(session), partial);
		*end = kept;
	}
	return 0;
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
