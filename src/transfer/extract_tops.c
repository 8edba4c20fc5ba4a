#include "transfer/extract_tops.h"

#include <stdlib.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "stream/backup_members.h"
#include "transfer/inner_path.h"

/* As many links as Linux follows (MAXSYMLINKS). */
#define LINKS_MAX 40

int
extract_tops_add(struct extract_tops *tops, const char *typed, char *path,
    char *to, struct error *err)
{
	auto_free char *owned_path = path;
	auto_free char *owned_to = to;
	struct extract_top *grown;

	if (path == NULL || to == NULL)
		return -1;
	grown = realloc(tops->items, (tops->count + 1) * sizeof(grown[0]));
	if (grown == NULL)
		return error_set_memory(err);
	tops->items = grown;
	grown[tops->count++] = (struct extract_top){
	    .typed = typed, .path = steal(owned_path), .to = steal(owned_to)};
	return 0;
}

void
extract_tops_clear(struct extract_tops *tops)
{
	for (size_t i = 0; i < tops->count; i++) {
		free(tops->items[i].path);
		free(tops->items[i].next);
		free(tops->items[i].to);
	}
	free(tops->items);
	*tops = (struct extract_tops){0};
}

int
extract_tops_follow(struct extract_tops *tops, const struct backup_member *link,
    struct error *err)
{
	for (size_t i = 0; i < tops->count; i++) {
		struct extract_top *top = &tops->items[i];

		if (!top->taken || top->done || top->next != NULL ||
		    !backup_wish_holds(link->path, top->path))
			continue;
		if (++top->links > LINKS_MAX)
			return error_set(err, ERROR_FAILED,
			    _("'%s': too many links, one after another"),
			    top->path);
		top->next =
		    inner_path_follow(top->path, link->path, link->link, err);
		if (top->next == NULL)
			return -1;
	}
	return 0;
}

/* None of these paths is in it, or holds it. */
static bool
stands_apart(const char *path, const char *const *others, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (backup_wish_holds(others[i], path) ||
		    backup_wish_holds(path, others[i]))
			return false;
	}
	return true;
}

size_t
extract_tops_choose(struct extract_tops *tops, const char **ret_paths)
{
	size_t count = 0;

	for (size_t i = 0; i < tops->count; i++) {
		struct extract_top *top = &tops->items[i];

		if (top->next != NULL) {
			free(top->path);
			top->path = top->next;
			top->next = NULL;
		}
		top->taken =
		    !top->done && stands_apart(top->path, ret_paths, count);
		if (top->taken)
			ret_paths[count++] = top->path;
	}
	return count;
}

struct extract_top *
extract_tops_of(
    const struct extract_tops *tops, const struct backup_member *member)
{
	size_t index = member->path_index;
	size_t i = 0;

	for (;; i++) {
		if (tops->items[i].taken && index-- == 0)
			return &tops->items[i];
	}
}
