/* backup_index.h - what backup/index.yaml says of the instance, or of the
 * custom volume, in a backup
 *
 * The text is the archive's: nothing in it has been proven. */

#ifndef ANKLUME_STREAM_BACKUP_INDEX_H
#define ANKLUME_STREAM_BACKUP_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

struct error;

/* What the index leaves out is NULL or ""; all of it is borrowed from `root`,
 * where every value is a string (base/yaml.h). */
struct backup_index {
	json_t *root; /* owned */

	const char *name;
	const char
	    *type; /* "container", "virtual-machine"; "custom": a volume */
	const char *pool;
	const char *driver;
	const char *architecture;
	const char *project;
	bool optimized;

	const json_t *snapshots; /* array of names */
	const json_t *profiles;	 /* array of names */
	const json_t *instance;	 /* object: all of it (api.Instance) */
	const json_t *config;	 /* object: the instance's own keys */
	const json_t *devices;	 /* of objects: its own, not its profiles' */
	const json_t *snapshot_definitions; /* array of objects */
	const json_t *profile_definitions;  /* array of objects */

	/* Of a volume, which has no architecture, profiles, instance and
	 * devices; `config` and `snapshot_definitions` are the volume's then.
	 */
	const json_t *volume;	  /* object: all of it (api.StorageVolume) */
	const char *content_type; /* "filesystem" or "block" */
};

/* Read the index, which is taken over. -1 with ERROR_DAMAGED when it is not
 * that of an instance, or of a volume that is no ISO image. */
int backup_index_read(
    json_t *root, struct backup_index *ret_index, struct error *err);

/* The same from its text. */
int backup_index_parse(const char *bytes, size_t size,
    struct backup_index *ret_index, struct error *err);

/* False for one that was never read. */
bool backup_index_is_volume(const struct backup_index *index);

/* What it is of, as manifests say it (store/manifest.h): the instance's name,
 * or "POOL/VOLUME". Heap. */
char *backup_index_subject(const struct backup_index *index, struct error *err);

/* Where an instance is wanted: -1 with ERROR_DAMAGED for a volume. */
int backup_index_refuse_volume(
    const struct backup_index *index, struct error *err);

void backup_index_clear(struct backup_index *index);

static inline void
auto_backup_index_cleanup(struct backup_index *index)
{
	backup_index_clear(index);
}

/* An owning local. */
#define auto_backup_index __attribute__((cleanup(auto_backup_index_cleanup)))

#endif
