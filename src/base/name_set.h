/* name_set.h - whether a name has been seen before, for very many names
 *
 * Of each name a keyed hash of 64 bits is kept, 16 bytes a name at most. Among
 * a million names one is taken for another once in 40 million such sets. */

#ifndef ANKLUME_BASE_NAME_SET_H
#define ANKLUME_BASE_NAME_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Zero-initialised; at its first name it draws its key, so that nobody outside
 * can choose names that collide. */
struct name_set {
	uint64_t key;
	uint64_t *slots; /* 0: free */
	size_t room;
	size_t count;
};

void name_set_clear(struct name_set *set);

/* Remember it: 1 when it is new, 0 when it was there, -1 with err set. */
int name_set_add(struct name_set *set, const char *name, struct error *err);

bool name_set_has(const struct name_set *set, const char *name);

#endif
