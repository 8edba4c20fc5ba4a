/* backup_wish.h - which files of a backup are wanted, by their paths as seen in
 * the instance, or in the volume, whose root is "/"
 *
 * Incus writes a directory's content right behind it (filepath.Walk in
 * internal/server/storage/drivers/utils.go): a directory is complete when
 * something follows that is not in it. */

#ifndef ANKLUME_STREAM_BACKUP_WISH_H
#define ANKLUME_STREAM_BACKUP_WISH_H

#include <stdbool.h>
#include <stddef.h>

struct backup_index;
struct error;
struct tar_member;

/* All borrowed. */
struct backup_wish {
	const char *snapshot; /* NULL: of the instance or volume itself */

	/* Canonical: "/", or "/a/b". Each with all that is below it; none lies
	 * below another. */
	const char *const *paths;
	size_t path_count;

	/* Instead of paths, as fnmatch(3) has it: of a whole path where there
	 * is a "/" in it, else of a name; with all that is below. NULL. */
	const char *pattern;

	bool content; /* of files, too */
};

/* Whether a path is this one of the wish, or below it. */
bool backup_wish_holds(const char *wanted, const char *path);

enum backup_pick {
	PICK_NOTHING,
	PICK_MEMBER, /* one that is wanted */
	PICK_WAY,    /* a link that stands where a path leads through */
};

/* How far the wishes have come true, member by member. */
struct backup_picker;

struct backup_picker *backup_picker_new(const struct backup_wish *wish,
    const struct backup_index *index, struct error *err);
void backup_picker_free(struct backup_picker *picker);

/* The path of a member, or of anything by its name in the tar, as seen in the
 * instance: a part of `name`, or "/". NULL when it is not of its files. */
const char *backup_picker_path(
    const struct backup_picker *picker, const char *name);

/* What the member is; *ret_path_index says which of the paths it is of, the
 * first of several that lead through one link, and 0 with a pattern. Members
 * come in the order of the tar. */
enum backup_pick backup_picker_take(struct backup_picker *picker,
    const struct tar_member *member, size_t *ret_path_index);

/* Whether nothing more will come: every path was there and is complete, or
 * leads through a link. Never so with a pattern, or "/". */
bool backup_picker_is_done(const struct backup_picker *picker);

#endif
