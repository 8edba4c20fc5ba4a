/* sftp_walk.h - a path followed inside an instance, to where it really leads */

#ifndef ANKLUME_INCUS_SFTP_WALK_H
#define ANKLUME_INCUS_SFTP_WALK_H

#include <stdbool.h>

#include "incus/sftp_wire.h"

struct error;
struct sftp_session;
struct sftp_walk;

/* Where a path leads. */
struct sftp_place {
	char *path; /* without ".", ".." and symlinks */

	/* What lies there, and what that lies in; no flags: nothing does. */
	struct sftp_attributes found;
	struct sftp_attributes above;
};

static inline bool
sftp_is_there(const struct sftp_attributes *found)
{
	return found->flags != 0;
}

void sftp_place_clear(struct sftp_place *place);

static inline void
auto_sftp_place_cleanup(struct sftp_place *place)
{
	sftp_place_clear(place);
}

/* An owning local. */
#define auto_sftp_place __attribute__((cleanup(auto_sftp_place_cleanup)))

/* Begin to follow an absolute path: the first questions are sent, no answer is
 * waited for. The session must outlive it. */
struct sftp_walk *sftp_walk_new(
    struct sftp_session *session, const char *path, struct error *err);

/* Follow it to its end: at most 40 links, as Linux does; components that do not
 * exist stay as they are. Once only. */
int sftp_walk_end(
    struct sftp_walk *walk, struct sftp_place *ret_place, struct error *err);

/* NULL is fine. */
void sftp_walk_free(struct sftp_walk *walk);

static inline void
auto_sftp_walk_cleanup(struct sftp_walk **walk)
{
	sftp_walk_free(*walk);
}

/* An owning local. */
#define auto_sftp_walk __attribute__((cleanup(auto_sftp_walk_cleanup)))

/* Both at once. */
int sftp_resolve(struct sftp_session *session, const char *path,
    struct sftp_place *ret_place, struct error *err);

#endif
