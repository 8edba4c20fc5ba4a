#include "stream/backup_check.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/name_set.h"
#include "base/yaml.h"
#include "stream/backup_index.h"
#include "stream/backup_layout.h"
#include "stream/backup_match.h"
#include "stream/tar_walk.h"

#define INDEX_NAME "backup/index.yaml"

/* NAME_MAX of Linux. */
#define COMPONENT_MAX_BYTES 255

/* Nothing that could be stored is larger; sums of it do not overflow. */
#define MEMBER_MAX_BYTES (UINT64_C(1) << 50)

struct check {
	struct tar_walk *walk;
	const struct backup_listener *listener;
	struct backup_index index;
	struct name_set directories;
	struct name_set files; /* regular ones */
	struct name_set others;
	uint64_t entries;
	bool has_config;
};

static int
refuse(const struct tar_member *member, const char *why, struct error *err)
{
	return error_set(err, ERROR_UNSAFE,
	    _("Incus does not write such a backup: '%s' %s"), member->name,
	    why);
}

/* Read all of a member that is YAML. The caller owns it. */
static json_t *
read_yaml(
    struct check *check, const struct tar_member *member, struct error *err)
{
	auto_free char *text = NULL;
	size_t have = 0;
	ssize_t got;

	if (member->size_bytes > BACKUP_YAML_MAX_BYTES) {
		error_set(err, ERROR_DAMAGED, _("'%s' is larger than %d bytes"),
		    member->name, BACKUP_YAML_MAX_BYTES);
		return NULL;
	}
	text = malloc(member->size_bytes + 1);
	if (text == NULL) {
		error_set_memory(err);
		return NULL;
	}
	while ((got = tar_walk_read(check->walk, text + have,
		    (size_t)member->size_bytes - have + 1, err)) > 0)
		have += (size_t)got;
	return got == 0 ? yaml_parse(text, have, member->name, err) : NULL;
}

static int
read_index(
    struct check *check, const struct tar_member *member, struct error *err)
{
	json_t *root;

	if (strcmp(member->name, INDEX_NAME) != 0 || member->type != TAR_FILE)
		return error_set(err, ERROR_DAMAGED,
		    _("this is not a backup made by Incus: it begins with "
		      "'%s', not with '%s'"),
		    member->name, INDEX_NAME);
	root = read_yaml(check, member, err);
	if (root == NULL || backup_index_read(root, &check->index, err) < 0)
		return -1;
	return backup_match_index(&check->index, err);
}

/* Not empty, and no component that is empty, "." or ".." or too long. */
static bool
is_canonical(const char *name)
{
	for (;;) {
		size_t length = strcspn(name, "/");

		if (length == 0 || length > COMPONENT_MAX_BYTES ||
		    strncmp(name, ".", length) == 0 ||
		    (length == 2 && strncmp(name, "..", 2) == 0))
			return false;
		if (name[length] == '\0')
			return true;
		name += length + 1;
	}
}

/* A root has no parent of its own; anything below stands in a directory that
 * came before. */
static bool
has_parent(const struct check *check, const struct tar_member *member)
{
	char parent[TAR_NAME_BYTES];
	const char *slash = strrchr(member->name, '/');

	(void)snprintf(parent, sizeof(parent), "%.*s",
	    (int)(slash - member->name), member->name);
	return name_set_has(&check->directories, parent);
}

/* It is one file with a regular one that came before, in the same root. */
static bool
links_inside(const struct check *check, const struct tar_member *member,
    size_t root_length)
{
	return root_length > 0 && root_length < sizeof(member->link) &&
	       strncmp(member->link, member->name, root_length) == 0 &&
	       member->link[root_length] == '/' &&
	       name_set_has(&check->files, member->link);
}

static bool
was_seen(const struct check *check, const char *name)
{
	return name_set_has(&check->directories, name) ||
	       name_set_has(&check->files, name) ||
	       name_set_has(&check->others, name);
}

static int
remember(
    struct check *check, const struct tar_member *member, struct error *err)
{
	struct name_set *kind = &check->others;

	if (member->type == TAR_DIRECTORY)
		kind = &check->directories;
	else if (member->type == TAR_FILE || member->type == TAR_HARD_LINK)
		kind = &check->files;
	return name_set_add(kind, member->name, err) < 0 ? -1 : 0;
}

static int
read_config(
    struct check *check, const struct tar_member *member, struct error *err)
{
	auto_json json_t *config = read_yaml(check, member, err);

	if (config == NULL)
		return -1;
	check->has_config = true;
	return backup_match_config(&check->index, config, err);
}

static int
check_member(
    struct check *check, const struct tar_member *member, struct error *err)
{
	size_t root_length;
	enum backup_place place;

	if (!is_canonical(member->name))
		return refuse(member, _("is no plain name"), err);
	if (member->size_bytes > MEMBER_MAX_BYTES)
		return refuse(member, _("is too large"), err);
	place = backup_layout_place(&check->index, member, &root_length);
	if (place == PLACE_NONE)
		return refuse(
		    member, _("does not belong there, or not as that"), err);
	if (was_seen(check, member->name))
		return refuse(member, _("stands there twice"), err);
	if ((place == PLACE_BELOW || place == PLACE_CONFIG) &&
	    !has_parent(check, member))
		return refuse(member, _("is in no directory"), err);
	if (member->type == TAR_HARD_LINK &&
	    !links_inside(check, member, root_length))
		return refuse(member,
		    _("is a hard link to what is no file before it"), err);
	if (remember(check, member, err) < 0)
		return -1;
	if (place == PLACE_CONFIG)
		return read_config(check, member, err);
	return check->listener->on_member != NULL
		   ? check->listener->on_member(
			 check->listener->data, member, check->walk, err)
		   : 0;
}

/* The instance or volume itself, or a snapshot, must have been there. */
static int
check_root(const struct check *check, const char *snapshot, struct error *err)
{
	char root[TAR_NAME_BYTES];

	backup_layout_root(&check->index, snapshot, root);
	if (was_seen(check, root))
		return 0;
	return error_set(err, ERROR_UNSAFE,
	    _("Incus does not write such a backup: '%s' is not in it"), root);
}

/* What the index promises has come. */
static int
check_whole(const struct check *check, struct error *err)
{
	const json_t *one;
	size_t i;

	bool is_volume = backup_index_is_volume(&check->index);

	/* The streams of a storage driver are its own affair, but for a volume,
	 * whose names are the same with all of them. */
	if (check->index.optimized && !is_volume)
		return 0;
	if (check_root(check, NULL, err) < 0)
		return -1;
	json_array_foreach(check->index.snapshots, i, one)
	{
		if (check_root(check, json_string_value(one), err) < 0)
			return -1;
	}
	if (!is_volume && !check->has_config)
		return error_set(err, ERROR_UNSAFE,
		    _("Incus does not write such a backup: '%s' is not in it"),
		    "backup.yaml");
	return 0;
}

static int
check_members(struct check *check, struct error *err)
{
	struct tar_member member;
	int found;
	int told;

	while ((found = tar_walk_next(check->walk, &member, err)) > 0) {
		if (++check->entries > BACKUP_ENTRIES_MAX)
			return error_set(err, ERROR_UNSAFE,
			    _("it has more than %d members"),
			    BACKUP_ENTRIES_MAX);
		told = check_member(check, &member, err);
		if (told != 0)
			return told;
	}
	return found < 0 ? -1 : check_whole(check, err);
}

static int
check_first(struct check *check, struct error *err)
{
	struct tar_member member;
	int found = tar_walk_next(check->walk, &member, err);

	if (found < 0)
		return -1;
	if (found == 0)
		return error_set(err, ERROR_DAMAGED,
		    _("this is not a backup made by Incus"));
	check->entries = 1;
	if (read_index(check, &member, err) < 0)
		return -1;
	return check->listener->on_index(
	    check->listener->data, check->index.root, err);
}

int
backup_check(struct stream *from, const struct backup_listener *listener,
    struct backup_counts *ret_counts, struct error *err)
{
	struct check check = {
	    .walk = tar_walk_new(from, err), .listener = listener};
	int status = -1;

	if (check.walk != NULL && check_first(&check, err) == 0)
		status = check_members(&check, err);
	if (status == 0)
		*ret_counts = (struct backup_counts){
		    check.entries, tar_walk_bytes(check.walk)};
	tar_walk_free(check.walk);
	backup_index_clear(&check.index);
	name_set_clear(&check.directories);
	name_set_clear(&check.files);
	name_set_clear(&check.others);
	return status;
}
