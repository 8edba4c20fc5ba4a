#include "stream/backup_layout.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "stream/backup_index.h"
#include "stream/tar_walk.h"

#define TOP "backup/"

/* What kinds of members are below a directory. */
enum content {
	CONTENT_ANY,   /* of a file system: links and devices, too */
	CONTENT_PLAIN, /* files and directories */
	CONTENT_NONE,  /* it is a file itself */
};

/* What stands at the top of a container's own directory, and nothing else
 * (incus, driver_lxc.go, what is joined to Path()). */
static const struct {
	const char *name;
	enum content content;
} container_tops[] = {
    {"rootfs", CONTENT_ANY}, {"templates", CONTENT_PLAIN},
    {"metadata.yaml", CONTENT_NONE}, {"backup.yaml", CONTENT_NONE},
    {"exec-output", CONTENT_PLAIN}, /* of commands whose output is kept */
    {"state", CONTENT_PLAIN},	    /* of a stateful snapshot */
    {"credentials", CONTENT_PLAIN}, /* 7.0: for systemd */
    {"network", CONTENT_PLAIN},	    /* 7.0: of an application container */
    {"config.json", CONTENT_NONE},  /* 7.0: the same */
};

#define CONTAINER_TOPS (sizeof(container_tops) / sizeof(container_tops[0]))

/* The root that a name is below of. */
struct root {
	size_t length;	   /* of the root in the name; 0: it is in none */
	bool of_volume;	   /* and not of an instance */
	const char *below; /* what follows it; "" where it is the root */
};

static bool
is_machine(const struct backup_index *index)
{
	return strcmp(index->type, "virtual-machine") == 0;
}

static bool
is_block_volume(const struct backup_index *index)
{
	return backup_index_is_volume(index) &&
	       strcmp(index->content_type, "block") == 0;
}

static const char *
main_name(const struct backup_index *index)
{
	if (backup_index_is_volume(index))
		return "volume";
	return is_machine(index) ? "virtual-machine" : "container";
}

static const char *
snapshots_name(const struct backup_index *index)
{
	if (backup_index_is_volume(index))
		return "volume-snapshots";
	return is_machine(index) ? "virtual-machine-snapshots" : "snapshots";
}

/* What a volume has in the place of its directory. */
static const char *
suffix_of(const struct backup_index *index)
{
	if (!backup_index_is_volume(index))
		return "";
	if (index->optimized)
		return ".bin";
	return is_block_volume(index) ? ".img" : "";
}

/* The part of `path` behind its first component, when that is `component`; NULL
 * when it is not. */
static const char *
behind(const char *path, const char *component)
{
	size_t length = strlen(component);

	if (strncmp(path, component, length) != 0)
		return NULL;
	if (path[length] == '\0')
		return path + length;
	return path[length] == '/' ? path + length + 1 : NULL;
}

/* The same for any component; "" behind the last. */
static const char *
behind_any(const char *path)
{
	const char *slash = strchr(path, '/');

	return slash != NULL ? slash + 1 : path + strlen(path);
}

/* A snapshot of the index whose name is the first component; what follows it.
 */
static const char *
behind_snapshot(const struct backup_index *index, const char *path)
{
	const json_t *one;
	size_t i;

	json_array_foreach(index->snapshots, i, one)
	{
		const char *name = json_string_value(one);
		const char *rest = name != NULL ? behind(path, name) : NULL;

		if (rest != NULL)
			return rest;
	}
	return NULL;
}

/* A device of the index that keeps its volume in the backup. */
static const char *
behind_device(const struct backup_index *index, const char *path)
{
	const json_t *devices =
	    json_object_get(index->instance, "expanded_devices");
	const char *name;
	const json_t *device;

	json_object_foreach((json_t *)(uintptr_t)devices, name, device)
	{
		const char *rest = behind(path, name);

		if (rest != NULL && *rest != '\0' &&
		    json_text(device, "pool") != NULL)
			return rest;
	}
	return NULL;
}

/* How much of `name` comes before `rest`, which is a part of it. */
static size_t
length_before(const char *name, const char *rest)
{
	size_t length = (size_t)(rest - name);

	return *rest == '\0' ? length : length - 1;
}

/* Of what the backup is of, or one of its snapshots. */
static struct root
root_of_main(const struct backup_index *index, const char *name)
{
	const char *path = name + strlen(TOP);
	const char *rest = behind(path, main_name(index));

	if (rest == NULL) {
		rest = behind(path, snapshots_name(index));
		rest = rest != NULL ? behind_snapshot(index, rest) : NULL;
	}
	if (rest == NULL)
		return (struct root){0};
	return (struct root){.length = length_before(name, rest),
	    .of_volume = backup_index_is_volume(index),
	    .below = rest};
}

/* Of a volume that belongs to an instance. */
static struct root
root_of_device(const struct backup_index *index, const char *name)
{
	const char *path = behind_device(index, name + strlen(TOP));
	const char *rest = path != NULL ? behind(path, "volume") : NULL;

	if (path != NULL && rest == NULL) {
		rest = behind(path, "volume-snapshots");
		rest = rest != NULL && *rest != '\0' ? behind_any(rest) : NULL;
	}
	if (rest == NULL)
		return (struct root){0};
	return (struct root){.length = length_before(name, rest),
	    .of_volume = true,
	    .below = rest};
}

static bool
is_plain(const struct tar_member *member)
{
	return member->type == TAR_FILE || member->type == TAR_DIRECTORY;
}

static enum backup_place
place_in_container(const struct tar_member *member, const char *below)
{
	const char *rest = NULL;
	enum content content = CONTENT_NONE;

	for (size_t i = 0; i < CONTAINER_TOPS && rest == NULL; i++) {
		rest = behind(below, container_tops[i].name);
		content = container_tops[i].content;
	}
	if (rest == NULL)
		return PLACE_NONE;
	if (content == CONTENT_NONE)
		return *rest == '\0' && member->type == TAR_FILE ? PLACE_BELOW
								 : PLACE_NONE;
	if (*rest == '\0')
		return member->type == TAR_DIRECTORY ? PLACE_BELOW : PLACE_NONE;
	return content == CONTENT_ANY || is_plain(member) ? PLACE_BELOW
							  : PLACE_NONE;
}

/* Its directory is for qemu and the agent: files, and one link beside its
 * target (incus, driver_qemu.go, setupNvram). */
static enum backup_place
place_in_machine(const struct tar_member *member, const char *below)
{
	if (is_plain(member))
		return PLACE_BELOW;
	return member->type == TAR_SYMLINK &&
		       strcmp(below, "qemu.nvram") == 0 &&
		       strchr(member->link, '/') == NULL &&
		       text_is_plain_word(member->link) &&
		       member->link[0] != '.'
		   ? PLACE_BELOW
		   : PLACE_NONE;
}

static enum backup_place
place_below(const struct backup_index *index, const struct tar_member *member,
    const struct root *root)
{
	enum backup_place place;

	/* It has no directories at all. */
	if (is_block_volume(index))
		return PLACE_NONE;
	if (*root->below == '\0')
		return member->type == TAR_DIRECTORY ? PLACE_ROOT : PLACE_NONE;
	if (root->of_volume)
		return PLACE_BELOW;
	place = is_machine(index) ? place_in_machine(member, root->below)
				  : place_in_container(member, root->below);
	if (place == PLACE_BELOW && strcmp(root->below, "backup.yaml") == 0) {
		if (member->type != TAR_FILE)
			return PLACE_NONE;
		if (behind(member->name + strlen(TOP), main_name(index)))
			return PLACE_CONFIG;
	}
	return place;
}

/* A disk beside its directory. */
static bool
is_disk(const struct backup_index *index, const char *name)
{
	char bare[TAR_NAME_BYTES];
	struct root root;

	if (!text_ends_with(name, ".img"))
		return false;
	(void)snprintf(bare, sizeof(bare), "%.*s",
	    (int)(strlen(name) - strlen(".img")), name);
	root = root_of_main(index, bare);
	if (root.length == 0 || (!is_machine(index) && !is_block_volume(index)))
		root = root_of_device(index, bare);
	return root.length > 0 && *root.below == '\0';
}

/* The name of a stream: that of its root, and for what lies in it more. */
static bool
is_stream_of(const char *path, const char *name)
{
	size_t length = strlen(name);

	return strncmp(path, name, length) == 0 && strchr(path, '/') == NULL &&
	       text_ends_with(path, ".bin") && path[length] != '\0' &&
	       strchr(".-_", path[length]) != NULL;
}

static bool
is_stream_of_snapshot(const struct backup_index *index, const char *path)
{
	const json_t *one;
	size_t i;

	json_array_foreach(index->snapshots, i, one)
	{
		const char *name = json_string_value(one);

		if (name != NULL && is_stream_of(path, name))
			return true;
	}
	return false;
}

/* A stream of the storage driver's own, where the backup is optimized. */
static bool
is_stream(const struct backup_index *index, const char *path)
{
	const char *inner = behind(path, snapshots_name(index));

	if (strcmp(path, "optimized_header.yaml") == 0 ||
	    is_stream_of(path, main_name(index)))
		return true;
	if (inner != NULL)
		return is_stream_of_snapshot(index, inner);
	path = behind_device(index, path);
	if (path == NULL)
		return false;
	inner = behind(path, "volume-snapshots");
	return strcmp(path, "optimized_header.yaml") == 0 ||
	       is_stream_of(path, "volume") ||
	       (inner != NULL && strchr(inner, '/') == NULL &&
		   text_ends_with(inner, ".bin"));
}

enum backup_place
backup_layout_place(const struct backup_index *index,
    const struct tar_member *member, size_t *ret_root_length)
{
	const char *name = member->name;
	enum backup_place place = PLACE_NONE;
	struct root root;

	*ret_root_length = 0;
	if (!text_starts_with(name, TOP))
		return PLACE_NONE;
	if (index->optimized)
		return member->type == TAR_FILE &&
			       is_stream(index, name + strlen(TOP))
			   ? PLACE_PIECE
			   : PLACE_NONE;
	root = root_of_main(index, name);
	if (root.length == 0)
		root = root_of_device(index, name);
	*ret_root_length = root.length;
	if (root.length > 0)
		place = place_below(index, member, &root);
	if (place == PLACE_NONE && member->type == TAR_FILE &&
	    is_disk(index, name))
		return PLACE_PIECE;
	return place;
}

void
backup_layout_root(
    const struct backup_index *index, const char *snapshot, char *buf)
{
	if (snapshot == NULL)
		(void)snprintf(buf, TAR_NAME_BYTES, TOP "%s%s",
		    main_name(index), suffix_of(index));
	else
		(void)snprintf(buf, TAR_NAME_BYTES, TOP "%s/%s%s",
		    snapshots_name(index), snapshot, suffix_of(index));
}
