#include "stream/backup_index.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/yaml.h"

static const char *
text_or_empty(const json_t *object, const char *key)
{
	const char *text = json_text(object, key);

	return text != NULL ? text : "";
}

/* internal/server/backup/backup_info.go and config/backup_config.go in incus.
 */
static void
read_instance(struct backup_index *index, const json_t *config)
{
	/* Virtual machines are under "container", too. */
	const json_t *instance = json_object_get(config, "container");

	if (instance == NULL)
		instance = json_object_get(config, "instance");
	index->architecture = text_or_empty(instance, "architecture");
	index->project = text_or_empty(instance, "project");
	index->profiles = json_object_get(instance, "profiles");
	index->instance = instance;
	index->config = json_object_get(instance, "config");
	index->devices = json_object_get(instance, "devices");
	index->snapshot_definitions = json_object_get(config, "snapshots");
	index->profile_definitions = json_object_get(config, "profiles");
}

static void
read_volume(struct backup_index *index, const json_t *config)
{
	const json_t *volume = json_object_get(config, "volume");

	index->project = text_or_empty(volume, "project");
	index->content_type = text_or_empty(volume, "content_type");
	index->volume = volume;
	index->config = json_object_get(volume, "config");
	index->snapshot_definitions =
	    json_object_get(config, "volume_snapshots");
}

static struct backup_index
index_of(json_t *root)
{
	const json_t *config = json_object_get(root, "config");
	struct backup_index index = {
	    .root = root,
	    .name = text_or_empty(root, "name"),
	    .type = text_or_empty(root, "type"),
	    .pool = text_or_empty(root, "pool"),
	    .driver = text_or_empty(root, "backend"),
	    .architecture = "",
	    .project = "",
	    .optimized = strcmp(text_or_empty(root, "optimized"), "true") == 0,
	    .snapshots = json_object_get(root, "snapshots"),
	    .content_type = "",
	};

	if (backup_index_is_volume(&index))
		read_volume(&index, config);
	else
		read_instance(&index, config);
	return index;
}

static int
refuse_type(const struct backup_index *index, struct error *err)
{
	return error_set(err, ERROR_DAMAGED,
	    _("this is a backup of type '%s', not of an instance"),
	    index->type);
}

/* Whether it is of something that can be read at all. */
static int
check_kind(const struct backup_index *index, struct error *err)
{
	bool is_volume = backup_index_is_volume(index);

	if (!is_volume && strcmp(index->type, "container") != 0 &&
	    strcmp(index->type, "virtual-machine") != 0)
		return refuse_type(index, err);
	if (*index->name == '\0')
		return error_set(err, ERROR_DAMAGED, "%s",
		    is_volume
			? _("backup/index.yaml does not name its volume")
			: _("backup/index.yaml does not name its instance"));
	if (strcmp(index->content_type, "iso") != 0)
		return 0;
	error_set(err, ERROR_DAMAGED,
	    _("this is a backup of the ISO image '%s', not of data"),
	    index->name);
	return error_hint(err, "incus storage volume import %s FILE",
	    *index->pool != '\0' ? index->pool : "POOL");
}

int
backup_index_read(
    json_t *root, struct backup_index *ret_index, struct error *err)
{
	struct backup_index index = index_of(root);

	if (check_kind(&index, err) < 0) {
		json_decref(root);
		return -1;
	}
	*ret_index = index;
	return 0;
}

int
backup_index_parse(const char *bytes, size_t size,
    struct backup_index *ret_index, struct error *err)
{
	json_t *root = yaml_parse(bytes, size, "backup/index.yaml", err);

	return root != NULL ? backup_index_read(root, ret_index, err) : -1;
}

bool
backup_index_is_volume(const struct backup_index *index)
{
	return index->type != NULL && strcmp(index->type, "custom") == 0;
}

char *
backup_index_subject(const struct backup_index *index, struct error *err)
{
	if (backup_index_is_volume(index))
		return text_format(err, "%s/%s", index->pool, index->name);
	return text_copy(index->name, strlen(index->name), err);
}

int
backup_index_refuse_volume(const struct backup_index *index, struct error *err)
{
	return backup_index_is_volume(index) ? refuse_type(index, err) : 0;
}

void
backup_index_clear(struct backup_index *index)
{
	json_decref(index->root);
	*index = (struct backup_index){0};
}
