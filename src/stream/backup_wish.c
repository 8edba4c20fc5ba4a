#include "stream/backup_wish.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "stream/backup_index.h"
#include "stream/backup_layout.h"
#include "stream/tar_walk.h"

/* How far one path has come. */
struct progress {
	bool found;
	bool done;
};

struct backup_picker {
	const struct backup_wish *wish;
	char root[TAR_NAME_BYTES + sizeof("/rootfs")];
	struct progress *progress;
	size_t done_count;

	/* With a pattern: the last directory that matched, which all below it
	 * does too. "" for none. */
	char below[TAR_NAME_BYTES];
};

/* "/a" is below "/" and "/a/b" below "/a"; a path is below itself, and "" below
 * nothing. */
bool
backup_wish_holds(const char *wanted, const char *path)
{
	size_t length = strlen(wanted);

	if (length < 2)
		return length == 1 && *path == '/';
	return strncmp(path, wanted, length) == 0 &&
	       (path[length] == '\0' || path[length] == '/');
}

struct backup_picker *
backup_picker_new(const struct backup_wish *wish,
    const struct backup_index *index, struct error *err)
{
	struct backup_picker *picker = calloc(1, sizeof(*picker));
	char root[TAR_NAME_BYTES];

	if (picker != NULL)
		picker->progress =
		    calloc(wish->path_count + 1, sizeof(picker->progress[0]));
	if (picker == NULL || picker->progress == NULL) {
		error_set_memory(err);
		free(picker);
		return NULL;
	}
	picker->wish = wish;
	backup_layout_root(index, wish->snapshot, root);
	/* An instance has more than its files in its directory. */
	(void)snprintf(picker->root, sizeof(picker->root), "%s%s", root,
	    backup_index_is_volume(index) ? "" : "/rootfs");
	return picker;
}

void
backup_picker_free(struct backup_picker *picker)
{
	if (picker == NULL)
		return;
	free(picker->progress);
	free(picker);
}

const char *
backup_picker_path(const struct backup_picker *picker, const char *name)
{
	size_t length = strlen(picker->root);

	if (strncmp(name, picker->root, length) != 0)
		return NULL;
	if (name[length] == '\0')
		return "/";
	return name[length] == '/' ? name + length : NULL;
}

static void
finish(struct backup_picker *picker, struct progress *progress)
{
	progress->done = true;
	picker->done_count++;
}

static enum backup_pick
take_path(struct backup_picker *picker, const struct tar_member *member,
    const char *path, size_t i)
{
	const char *wanted = picker->wish->paths[i];
	struct progress *progress = &picker->progress[i];

	if (progress->done)
		return PICK_NOTHING;
	if (backup_wish_holds(wanted, path)) {
		bool is_top = strcmp(path, wanted) == 0;

		progress->found = true;
		if (is_top && member->type != TAR_DIRECTORY)
			finish(picker, progress);
		return PICK_MEMBER;
	}
	if (progress->found) {
		/* Behind all files little follows, and the end proves them. */
		if (strcmp(wanted, "/") != 0)
			finish(picker, progress);
		return PICK_NOTHING;
	}
	if (member->type == TAR_SYMLINK && backup_wish_holds(path, wanted)) {
		finish(picker, progress);
		return PICK_WAY;
	}
	return PICK_NOTHING;
}

static enum backup_pick
take_by_paths(struct backup_picker *picker, const struct tar_member *member,
    const char *path, size_t *ret_path_index)
{
	enum backup_pick pick = PICK_NOTHING;

	/* All are asked: one is complete by what another one wants, and several
	 * may lead through one link. */
	for (size_t i = 0; i < picker->wish->path_count; i++) {
		enum backup_pick one = take_path(picker, member, path, i);

		if (one == PICK_NOTHING || pick != PICK_NOTHING)
			continue;
		pick = one;
		*ret_path_index = i;
	}
	return pick;
}

static bool
matches(const char *pattern, const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	if (*name == '\0')
		name = path;
	if (strchr(pattern, '/') != NULL)
		return fnmatch(pattern, path, FNM_PATHNAME) == 0;
	return fnmatch(pattern, name, 0) == 0;
}

static enum backup_pick
take_by_pattern(struct backup_picker *picker, const struct tar_member *member,
    const char *path)
{
	const char *pattern = picker->wish->pattern;

	if (picker->below[0] != '\0' && backup_wish_holds(picker->below, path))
		return PICK_MEMBER;
	picker->below[0] = '\0';
	if (!matches(pattern, path))
		return PICK_NOTHING;
	if (member->type == TAR_DIRECTORY)
		(void)snprintf(
		    picker->below, sizeof(picker->below), "%s", path);
	return PICK_MEMBER;
}

enum backup_pick
backup_picker_take(struct backup_picker *picker,
    const struct tar_member *member, size_t *ret_path_index)
{
	const char *path = backup_picker_path(picker, member->name);

	*ret_path_index = 0;
	/* What is none of its files may stand behind them. */
	if (path == NULL)
		path = "";
	if (picker->wish->pattern != NULL)
		return *path != '\0' ? take_by_pattern(picker, member, path)
				     : PICK_NOTHING;
	return take_by_paths(picker, member, path, ret_path_index);
}

bool
backup_picker_is_done(const struct backup_picker *picker)
{
	return picker->wish->pattern == NULL &&
	       picker->done_count == picker->wish->path_count;
}
