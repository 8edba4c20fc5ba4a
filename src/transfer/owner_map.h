/* owner_map.h - ids on the disk of a container or a volume, as they are seen
 * inside
 *
 * Where the kernel cannot map them at the mount, Incus shifts the files on disk
 * and says so in a key, an array of {Isuid, Isgid, Hostid, Nsid, Maprange}
 * (incus, shared/idmap/entry.go): a backup has them shifted. */

#ifndef ANKLUME_TRANSFER_OWNER_MAP_H
#define ANKLUME_TRANSFER_OWNER_MAP_H

#include <stdint.h>

#include "base/json.h"

struct error;

/* That key: of an instance or its snapshot, and of a volume or its snapshot
 * (incus, internal/server/device/disk.go). */
#define OWNER_MAP_OF_INSTANCE "volatile.last_state.idmap"
#define OWNER_MAP_OF_VOLUME "volatile.idmap.last"

/* "nobody": what the kernel shows where an id has no place inside. */
#define OWNER_MAP_NOBODY 65534U

/* Zero-initialised: ids are as they are. */
struct owner_map {
	json_t *entries; /* owned */
};

/* By `key` of `config`; without it, ids are as they are. ERROR_DAMAGED. */
int owner_map_read(const json_t *config, const char *key,
    struct owner_map *ret_map, struct error *err);

uint32_t owner_map_uid(const struct owner_map *map, uint32_t uid);
uint32_t owner_map_gid(const struct owner_map *map, uint32_t gid);

void owner_map_clear(struct owner_map *map);

static inline void
auto_owner_map_cleanup(struct owner_map *map)
{
	owner_map_clear(map);
}

/* An owning local. */
#define auto_owner_map __attribute__((cleanup(auto_owner_map_cleanup)))

#endif
