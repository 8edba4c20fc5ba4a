/* backup_index.h - what backup/index.yaml says of the instance in a backup
 *
 * The text is the archive's: nothing in it has been proven. */

#ifndef ANKLUME_STREAM_BACKUP_INDEX_H
#define ANKLUME_STREAM_BACKUP_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/yaml.h"

struct error;

struct backup_index {
	struct yaml *yaml; /* owns the texts below */

	const char *name;
	const char *type; /* "container" or "virtual-machine" */
	const char *pool;
	const char *driver;
	const char *architecture;
	const char *project; /* "" when the index does not say */
	bool optimized;

	struct yaml_node snapshots; /* sequence of names */
	struct yaml_node profiles;  /* sequence of names */
	struct yaml_node instance;  /* map: all of it (api.Instance) */
	struct yaml_node snapshot_definitions; /* sequence of maps */
	struct yaml_node config;  /* map: the instance's own keys */
	struct yaml_node devices; /* map of maps: its own, not its profiles' */
	struct yaml_node profile_definitions; /* sequence of maps */
};

/* Parse the text of an index. -1 with ERROR_DAMAGED when it is not that of an
 * instance. */
int backup_index_parse(const char *bytes, size_t size,
    struct backup_index *ret_index, struct error *err);

void backup_index_clear(struct backup_index *index);

static inline void
auto_backup_index_cleanup(struct backup_index *index)
{
	backup_index_clear(index);
}

/* An owning local. */
#define auto_backup_index __attribute__((cleanup(auto_backup_index_cleanup)))

#endif
