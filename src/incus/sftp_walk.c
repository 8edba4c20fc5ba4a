#include "incus/sftp_walk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/sftp_path.h"
#include "incus/sftp_session.h"

/* Linux, include/linux/namei.h, MAXSYMLINKS. */
#define SYMLINKS_MAX 40

/* Components asked about at once; few paths have more. */
#define AHEAD_MAX 16

/* What lies somewhere, should that be known. */
struct sight {
	bool known;
	struct sftp_attributes found; /* no flags: nothing */
};

static const struct sight unknown = {0};

struct sftp_walk {
	struct sftp_session *session;
	char *asked;
	char *done; /* resolved so far, without a trailing slash; "" is "/" */
	char *rest; /* still to be walked */
	int hops;
	struct sight here;  /* at `done` */
	struct sight above; /* at its parent */

	/* Questions about the next components of the rest, as if they were no
	 * links; what lies behind a link was asked in vain. */
	struct sftp_pending ahead[AHEAD_MAX];
	size_t ahead_next;
	size_t ahead_count;
};

void
sftp_place_clear(struct sftp_place *place)
{
	free(place->path);
	*place = (struct sftp_place){0};
}

static void
drop_ahead(struct sftp_walk *walk)
{
	for (size_t i = 0; i < walk->ahead_count; i++)
		sftp_forget(walk->session, &walk->ahead[i]);
	walk->ahead_next = walk->ahead_count = 0;
}

void
sftp_walk_free(struct sftp_walk *walk)
{
	if (walk == NULL)
		return;
	drop_ahead(walk);
	free(walk->asked);
	free(walk->done);
	free(walk->rest);
	free(walk);
}

/* The component at the front of `path`: its place behind slashes, its length.
 */
static size_t
component(const char *path, size_t *ret_skip)
{
	*ret_skip = strspn(path, "/");
	return strcspn(path + *ret_skip, "/");
}

static bool
is_dots(const char *name, size_t length)
{
	return (length == 1 && name[0] == '.') ||
	       (length == 2 && name[0] == '.' && name[1] == '.');
}

/* Ask about every component to come, up to one that goes elsewhere. */
static int
look_ahead(struct sftp_walk *walk, struct error *err)
{
	auto_free char *path =
	    text_format(err, "%s/%s", walk->done, walk->rest);
	const char *rest = walk->rest;
	size_t end = strlen(walk->done);

	drop_ahead(walk);
	if (path == NULL)
		return -1;
	while (walk->ahead_count < AHEAD_MAX) {
		struct sftp_packet packet;
		size_t skip;
		size_t length = component(rest, &skip);

		if (length == 0 || is_dots(rest + skip, length))
			break;
		path[end++] = '/';
		memcpy(path + end, rest + skip, length);
		end += length;
		rest += skip + length;
		sftp_packet_start(&packet, SFTP_LSTAT);
		sftp_put_bytes(&packet, path, end);
		packet.about = walk->asked;
		if (sftp_send(walk->session, &packet, NULL, 0,
			&walk->ahead[walk->ahead_count++], err) < 0)
			return -1;
	}
	return 0;
}

/* What lies at `path`, the next component of the rest. */
static int
look(struct sftp_walk *walk, const char *path, struct sight *ret_sight,
    struct error *err)
{
	struct sftp_pending *answer;

	*ret_sight = (struct sight){.known = true};
	/* Below nothing there is nothing. */
	if (walk->here.known && !sftp_is_there(&walk->here.found)) {
		drop_ahead(walk);
		return 0;
	}
	if (walk->ahead_next == walk->ahead_count && look_ahead(walk, err) < 0)
		return -1;
	answer = &walk->ahead[walk->ahead_next++];
	if (sftp_await(walk->session, answer, err) < 0)
		return -1;
	return sftp_answer_look(answer, path, &ret_sight->found, err) < 0 ? -1
									  : 0;
}

/* `link` is a symlink in `done`: its target takes the front of the rest. */
static int
step_link(struct sftp_walk *walk, const char *link, struct error *err)
{
	auto_free char *target = sftp_read_link(walk->session, link, err);
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
	drop_ahead(walk);
	if (*target == '/') {
		walk->done[0] = '\0';
		walk->here = walk->above = unknown;
	}
	free(walk->rest);
	walk->rest = longer;
	return 0;
}

static void
step_up(struct sftp_walk *walk)
{
	char *slash = strrchr(walk->done, '/');

	if (slash != NULL)
		*slash = '\0';
	walk->here = walk->above = unknown;
}

/* Take the next component off the rest. */
static int
step(struct sftp_walk *walk, struct error *err)
{
	size_t skip;
	size_t length = component(walk->rest, &skip);
	const char *name = walk->rest + skip;
	bool plain = length > 0 && !is_dots(name, length);
	bool up = !plain && length == 2;
	auto_free char *next =
	    text_format(err, "%s/%.*s", walk->done, (int)length, name);
	struct sight sight = unknown;

	if (next == NULL || (plain && look(walk, next, &sight, err) < 0))
		return -1;
	memmove(walk->rest, name + length, strlen(name + length) + 1);

	if (up)
		step_up(walk);
	if (!plain)
		return 0;
	if (S_ISLNK(sight.found.mode))
		return step_link(walk, next, err);
	walk->above = walk->here;
	walk->here = sight;
	free(walk->done);
	walk->done = steal(next);
	return 0;
}

struct sftp_walk *
sftp_walk_new(struct sftp_session *session, const char *path, struct error *err)
{
	struct sftp_walk *walk = calloc(1, sizeof(*walk));

	if (walk == NULL) {
		error_set_memory(err);
		return NULL;
	}
	walk->session = session;
	if ((walk->asked = text_copy(path, strlen(path), err)) == NULL ||
	    (walk->rest = text_copy(path, strlen(path), err)) == NULL ||
	    (walk->done = text_copy("", 0, err)) == NULL ||
	    look_ahead(walk, err) < 0) {
		sftp_walk_free(walk);
		return NULL;
	}
	return walk;
}

/* "/" is never a component; behind ".." nothing has been looked at. */
static int
look_if_unknown(struct sftp_walk *walk, const char *path,
    const struct sight *sight, struct sftp_attributes *ret_found,
    struct error *err)
{
	*ret_found = sight->found;
	return sight->known ? 0
			    : sftp_look(walk->session, path, ret_found, err);
}

int
sftp_walk_end(
    struct sftp_walk *walk, struct sftp_place *ret_place, struct error *err)
{
	auto_sftp_place struct sftp_place place = {0};
	auto_free char *parent = NULL;

	while (*walk->rest != '\0') {
		if (step(walk, err) < 0)
			return -1;
	}
	place.path =
	    *walk->done != '\0' ? steal(walk->done) : text_copy("/", 1, err);
	parent = place.path != NULL ? sftp_parent(place.path, err) : NULL;
	if (parent == NULL ||
	    look_if_unknown(walk, place.path, &walk->here, &place.found, err) <
		0 ||
	    look_if_unknown(walk, parent, &walk->above, &place.above, err) < 0)
		return -1;
	*ret_place = place;
	place.path = NULL;
	return 0;
}

int
sftp_resolve(struct sftp_session *session, const char *path,
    struct sftp_place *ret_place, struct error *err)
{
	auto_sftp_walk struct sftp_walk *walk =
	    sftp_walk_new(session, path, err);

	return walk != NULL ? sftp_walk_end(walk, ret_place, err) : -1;
}
