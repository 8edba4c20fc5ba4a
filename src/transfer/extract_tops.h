/* extract_tops.h - the paths that are wanted of an archive, from pass to pass
 *
 * A path may turn out to be a link, or to lead through one: then another pass
 * looks for where it leads. For extract*.c only. */

#ifndef ANKLUME_TRANSFER_EXTRACT_TOPS_H
#define ANKLUME_TRANSFER_EXTRACT_TOPS_H

#include <stdbool.h>
#include <stddef.h>

struct backup_member;
struct error;

struct extract_top {
	const char *typed; /* borrowed; NULL for a hard link's other name */
	char *path;   /* where links have led it; owned, for a whole pass */
	char *next;   /* for the next pass: a link led it elsewhere; owned */
	char *to;     /* at the target; owned */
	size_t links; /* that were followed */
	bool taken;   /* is part of this pass */
	bool done;    /* has been found, or is not there */
};

struct extract_tops {
	struct extract_top *items; /* owned */
	size_t count;
};

/* Takes over both paths, also on failure; -1 also when one is NULL. */
int extract_tops_add(struct extract_tops *tops, const char *typed, char *path,
    char *to, struct error *err);
void extract_tops_clear(struct extract_tops *tops);

/* Begin a pass with what is still to be found, as far as none lies below
 * another: what does waits for a pass of its own. ret_paths has room for all,
 * and is borrowed until the next pass. Returns how many. */
size_t extract_tops_choose(struct extract_tops *tops, const char **ret_paths);

/* The top of this pass that a member is of. */
struct extract_top *extract_tops_of(
    const struct extract_tops *tops, const struct backup_member *member);

/* Every top of this pass that is this link, or leads through it, leads
 * elsewhere in the next. */
int extract_tops_follow(struct extract_tops *tops,
    const struct backup_member *link, struct error *err);

#endif
