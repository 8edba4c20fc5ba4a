#include "stream/backup_index.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/yaml.h"

static const char *
text_or_empty(const json_t *object, const char *key)
{
	const char *text = json_text(object, key);

	return text != NULL ? text : "";
}

/* internal/server/backup/backup_info.go and config/backup_config.go in incus.
 */
static struct backup_index
index_of(json_t *root)
{
	const json_t *config = json_object_get(root, "config");
	/* Virtual machines are under "container", too. */
	const json_t *instance = json_object_get(config, "container");

	if (instance == NULL)
		instance = json_object_get(config, "instance");
	return (struct backup_index){
	    .root = root,
	    .name = text_or_empty(root, "name"),
	    .type = text_or_empty(root, "type"),
	    .pool = text_or_empty(root, "pool"),
	    .driver = text_or_empty(root, "backend"),
	    .architecture = text_or_empty(instance, "architecture"),
	    .project = text_or_empty(instance, "project"),
	    .optimized = strcmp(text_or_empty(root, "optimized"), "true") == 0,
	    .snapshots = json_object_get(root, "snapshots"),
	    .profiles = json_object_get(instance, "profiles"),
	    .instance = instance,
	    .config = json_object_get(instance, "config"),
	    .devices = json_object_get(instance, "devices"),
	    .snapshot_definitions = json_object_get(config, "snapshots"),
	    .profile_definitions = json_object_get(config, "profiles"),
	};
}

int
backup_index_read(
    json_t *root, struct backup_index *ret_index, struct error *err)
{
	struct backup_index index = index_of(root);

	if (strcmp(index.type, "container") != 0 &&
	    strcmp(index.type, "virtual-machine") != 0)
		error_set(err, ERROR_DAMAGED,
		    _("this is a backup of type '%s', not of an instance"),
		    index.type);
	else if (*index.name == '\0')
		error_set(err, ERROR_DAMAGED,
		    _("backup/index.yaml does not name its instance"));
	if (error_is_set(err)) {
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

void
backup_index_clear(struct backup_index *index)
{
	json_decref(index->root);
	*index = (struct backup_index){0};
}
