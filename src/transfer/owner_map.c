#include "transfer/owner_map.h"

#include <string.h>

#include "base/error.h"

int
owner_map_read(const json_t *config, const char *key, struct owner_map *ret_map,
    struct error *err)
{
	const char *text = json_text(config, key);

	*ret_map = (struct owner_map){0};
	if (text == NULL || *text == '\0')
		return 0;
	ret_map->entries = json_parse(text, strlen(text), key, err);
	return ret_map->entries != NULL ? 0 : -1;
}

/* Numbers that are none, or too large, are of no entry. */
static bool
find(const json_t *entry, const char *kind, uint32_t id, uint32_t *ret_inside)
{
	json_int_t host = json_number(entry, "Hostid");
	json_int_t inside = json_number(entry, "Nsid");
	json_int_t range = json_number(entry, "Maprange");

	if (!json_flag(entry, kind) || host < 0 || inside < 0 || range < 0 ||
	    id < host || id - host >= range ||
	    inside > (json_int_t)UINT32_MAX - (id - host))
		return false;
	*ret_inside = (uint32_t)(inside + (id - host));
	return true;
}

static uint32_t
map_id(const struct owner_map *map, const char *kind, uint32_t id)
{
	const json_t *entry;
	uint32_t inside;
	size_t i;

	if (json_array_size(map->entries) == 0)
		return id;
	json_array_foreach(map->entries, i, entry)
	{
		if (find(entry, kind, id, &inside))
			return inside;
	}
	return OWNER_MAP_NOBODY;
}

uint32_t
owner_map_uid(const struct owner_map *map, uint32_t uid)
{
	return map_id(map, "Isuid", uid);
}

uint32_t
owner_map_gid(const struct owner_map *map, uint32_t gid)
{
	return map_id(map, "Isgid", gid);
}

void
owner_map_clear(struct owner_map *map)
{
	json_decref(map->entries);
	*map = (struct owner_map){0};
}
