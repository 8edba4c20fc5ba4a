#include "transfer/name_glob.h"

#include <stddef.h>
#include <string.h>

/* A set, "[...]". */
struct set {
	bool inverted;
	const char *next; /* of its members */
	const char *end;  /* the "]" */
};

/* The set that begins at `glob`; false when it is not closed. */
static bool
set_open(const char *glob, struct set *ret_set)
{
	const char *first = glob + 1;

	ret_set->inverted = *first == '!' || *first == '^';
	if (ret_set->inverted)
		first++;
	ret_set->next = first;
	/* As the first member, "]" is one. */
	ret_set->end = *first != '\0' ? strchr(first + 1, ']') : NULL;
	return ret_set->end != NULL;
}

static bool
set_next(struct set *set, unsigned char *ret_low, unsigned char *ret_high)
{
	const char *next = set->next;

	if (next >= set->end)
		return false;
	*ret_low = *ret_high = (unsigned char)next[0];
	set->next++;
	if (set->end - next > 2 && next[1] == '-') {
		*ret_high = (unsigned char)next[2];
		set->next += 2;
	}
	return true;
}

static bool
set_is_valid(const char *glob, const char **ret_behind)
{
	struct set set;
	unsigned char low;
	unsigned char high;

	if (!set_open(glob, &set))
		return false;
	while (set_next(&set, &low, &high)) {
		if (low > high || high > 0x7f)
			return false;
	}
	*ret_behind = set.end + 1;
	return true;
}

bool
name_glob_is_valid(const char *glob)
{
	while (*glob != '\0') {
		if (*glob != '[')
			glob++;
		else if (!set_is_valid(glob, &glob))
			return false;
	}
	return true;
}

/* Of the character at `name`, which is not at its end. */
static size_t
character_length(const char *name)
{
	size_t length = 1;

	while (((unsigned char)name[length] & 0xc0U) == 0x80U)
		length++;
	return length;
}

/* The glob behind what takes the character at `name`; NULL: nothing does. */
static const char *
take_one(const char *glob, const char *name)
{
	size_t length = character_length(name);
	unsigned char byte = (unsigned char)name[0];
	unsigned char low;
	unsigned char high;
	bool found = false;
	struct set set;

	if (*glob == '?')
		return glob + 1;
	if (*glob != '[' || !set_open(glob, &set))
		return strncmp(glob, name, length) == 0 ? glob + length : NULL;
	while (set_next(&set, &low, &high))
		found |= low <= byte && byte <= high;
	return found != set.inverted ? set.end + 1 : NULL;
}

bool
name_glob_matches(const char *glob, const char *name)
{
	const char *star = NULL; /* behind the last one */
	const char *resume = NULL;

	while (*name != '\0') {
		const char *next;

		if (*glob == '*') {
			star = ++glob;
			resume = name;
			continue;
		}
		next = *glob != '\0' ? take_one(glob, name) : NULL;
		if (next != NULL) {
			glob = next;
			name += character_length(name);
			continue;
		}
		if (star == NULL)
			return false;
		/* The star takes one character more. */
		resume += character_length(resume);
		name = resume;
		glob = star;
	}
	return glob[strspn(glob, "*")] == '\0';
}
