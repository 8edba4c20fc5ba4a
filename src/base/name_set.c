#include "base/name_set.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/error.h"

/* At the first name; a power of two. */
#define ROOM_FIRST 64

/* FNV-1a, 64 bits (draft-eastlake-fnv), begun with the key. */
#define FNV_PRIME UINT64_C(0x100000001b3)

void
name_set_clear(struct name_set *set)
{
	free(set->slots);
	*set = (struct name_set){0};
}

/* Never 0, which is a free slot. */
static uint64_t
hash_of(const struct name_set *set, const char *name)
{
	uint64_t hash = set->key;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * FNV_PRIME;
	/* The low bits choose the slot: mix the high ones in. */
	hash ^= hash >> 32;
	return hash != 0 ? hash : 1;
}

/* Where a hash is, or the free slot for it. There is always a free one. */
static uint64_t *
slot_of(const struct name_set *set, uint64_t hash)
{
	size_t i = (size_t)hash & (set->room - 1);

	while (set->slots[i] != 0 && set->slots[i] != hash)
		i = (i + 1) & (set->room - 1);
	return &set->slots[i];
}

/* Half of the slots stay free. */
static int
make_room(struct name_set *set, struct error *err)
{
	struct name_set grown = *set;

	if (2 * (set->count + 1) <= set->room)
		return 0;
	if (set->room == 0 && getrandom(&grown.key, sizeof(grown.key), 0) !=
				  (ssize_t)sizeof(grown.key))
		return error_set_errno(err, errno, "getrandom");
	grown.room = set->room > 0 ? 2 * set->room : ROOM_FIRST;
	grown.slots = calloc(grown.room, sizeof(grown.slots[0]));
	if (grown.slots == NULL)
		return error_set_memory(err);
	for (size_t i = 0; i < set->room; i++) {
		if (set->slots[i] != 0)
			*slot_of(&grown, set->slots[i]) = set->slots[i];
	}
	free(set->slots);
	*set = grown;
	return 0;
}

int
name_set_add(struct name_set *set, const char *name, struct error *err)
{
	uint64_t hash;
	uint64_t *slot;

	if (make_room(set, err) < 0)
		return -1;
	hash = hash_of(set, name);
	slot = slot_of(set, hash);
	if (*slot == hash)
		return 0;
	*slot = hash;
	set->count++;
	return 1;
}

bool
name_set_has(const struct name_set *set, const char *name)
{
	return set->room > 0 && *slot_of(set, hash_of(set, name)) != 0;
}
