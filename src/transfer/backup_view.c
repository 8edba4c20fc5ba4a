#include "transfer/backup_view.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "transfer/watch.h"

/* The snapshot's own object; NULL where there is none of that name. Its place
 * in both lists is the same (stream/backup_match.h), its name in old exports of
 * volumes is not. */
static const json_t *
find_snapshot(const struct backup_index *index, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(index->snapshots, i, one)
	{
		const char *own = json_string_value(one);

		if (own != NULL && strcmp(own, name) == 0)
			return json_array_get(index->snapshot_definitions, i);
	}
	return NULL;
}

static void
hint_snapshots(const struct backup_index *index, struct error *err)
{
	const json_t *one;
	size_t i;

	json_array_foreach(index->snapshots, i, one)
	{
		error_hint(err, "--snapshot %s", json_string_value(one));
	}
}

static int
refuse_snapshot(
    const struct backup_index *index, const char *name, struct error *err)
{
	error_set(
	    err, ERROR_NOT_FOUND, _("the archive has no snapshot '%s'"), name);
	hint_snapshots(index, err);
	return -1;
}

/* Whether its files are members of the tar. */
static int
check_reach(const struct backup_index *index, struct error *err)
{
	if (strcmp(index->content_type, "block") == 0)
		return error_set(err, ERROR_NOT_FOUND,
		    _("'%s' is a block volume: what is in it is a disk image, "
		      "and only to be had by a restore"),
		    index->name);
	if (strcmp(index->type, "virtual-machine") == 0)
		return error_set(err, ERROR_NOT_FOUND,
		    _("'%s' is a virtual machine: its files are in a disk "
		      "image, and only to be had by a restore"),
		    index->name);
	if (index->optimized)
		return error_set(err, ERROR_NOT_FOUND,
		    _("the archive is optimized for '%s': its files are in a "
		      "stream of the storage, and only to be had by a "
		      "restore"),
		    index->driver);
	return 0;
}

static int
look_inside(struct backup_view *view, const char *snapshot, struct error *err)
{
	const struct backup_index *index = &view->source.index;
	const json_t *config = index->config;

	if (check_reach(index, err) < 0)
		return -1;
	if (snapshot != NULL) {
		const json_t *definition = find_snapshot(index, snapshot);

		if (definition == NULL)
			return refuse_snapshot(index, snapshot, err);
		config = json_object_get(definition, "config");
	}
	return owner_map_read(config,
	    backup_index_is_volume(index) ? OWNER_MAP_OF_VOLUME
					  : OWNER_MAP_OF_INSTANCE,
	    &view->owners, err);
}

int
backup_view_open(struct backup_view *view, const char *path,
    const struct backup_wish *wish, const struct watch *watch,
    struct error *err)
{
	view->members =
	    backup_source_members(&view->source, path, wish, watch, err);
	if (view->members == NULL)
		return -1;
	if (look_inside(view, wish->snapshot, err) < 0)
		return error_prefix(err, "'%s'", path);
	return 0;
}

int
backup_view_next(struct backup_view *view,
    const struct backup_member **ret_member, struct error *err)
{
	int found = backup_members_next(view->members, ret_member, err);

	if (found < 0)
		return backup_source_blame(&view->source, err);
	if (found > 0 || backup_members_stopped_early(view->members))
		return found;
	if (backup_source_check(&view->source, false, err) < 0)
		return error_prefix(err, "'%s'", view->source.path);
	return 0;
}

void
backup_view_note_early(const char *path, const struct watch *watch)
{
	watch_note(watch,
	    _("'%s' was read no further than needed: it is not proven to be "
	      "intact"),
	    path);
}

void
backup_view_clear(struct backup_view *view)
{
	backup_members_free(view->members);
	backup_source_clear(&view->source);
	owner_map_clear(&view->owners);
	*view = (struct backup_view){0};
}
