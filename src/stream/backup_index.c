#include "stream/backup_index.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"

static const char *
text_or_empty(struct yaml_node node)
{
	const char *text = yaml_text(node);

	return text != NULL ? text : "";
}

/* internal/server/backup/backup_info.go and config/backup_config.go in incus.
 */
static void
fill(struct backup_index *index, struct yaml_node root)
{
	struct yaml_node config = yaml_get(root, "config");
	/* Virtual machines are under "container", too. */
	struct yaml_node instance = yaml_get(config, "container");
	const char *optimized = yaml_text(yaml_get(root, "optimized"));

	if (!yaml_exists(instance))
		instance = yaml_get(config, "instance");
	index->name = text_or_empty(yaml_get(root, "name"));
	index->type = text_or_empty(yaml_get(root, "type"));
	index->pool = text_or_empty(yaml_get(root, "pool"));
	index->driver = text_or_empty(yaml_get(root, "backend"));
	index->architecture = text_or_empty(yaml_get(instance, "architecture"));
	index->project = text_or_empty(yaml_get(instance, "project"));
	index->optimized = optimized != NULL && strcmp(optimized, "true") == 0;
	index->snapshots = yaml_get(root, "snapshots");
	index->profiles = yaml_get(instance, "profiles");
	index->config = yaml_get(instance, "config");
	index->devices = yaml_get(instance, "devices");
	index->instance = instance;
	index->snapshot_definitions = yaml_get(config, "snapshots");
	index->profile_definitions = yaml_get(config, "profiles");
}

int
backup_index_parse(const char *bytes, size_t size,
    struct backup_index *ret_index, struct error *err)
{
	struct backup_index index = {0};

	index.yaml = yaml_parse(bytes, size, "backup/index.yaml", err);
	if (index.yaml == NULL)
		return -1;
	fill(&index, yaml_root(index.yaml));

	if (strcmp(index.type, "container") != 0 &&
	    strcmp(index.type, "virtual-machine") != 0) {
		error_set(err, ERROR_DAMAGED,
		    _("this is a backup of type '%s', not of an instance"),
		    index.type);
		backup_index_clear(&index);
		return -1;
	}
	if (*index.name == '\0') {
		error_set(err, ERROR_DAMAGED,
		    _("backup/index.yaml does not name its instance"));
		backup_index_clear(&index);
		return -1;
	}
	*ret_index = index;
	return 0;
}

void
backup_index_clear(struct backup_index *index)
{
	yaml_dispose(index->yaml);
	*index = (struct backup_index){0};
}
