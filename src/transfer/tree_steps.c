#include "transfer/tree_steps.h"

#include <assert.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"

void
tree_steps_clear(struct tree_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++)
		free(steps->items[i].path);
	free(steps->items);
	*steps = (struct tree_steps){0};
}

static int
make_room(struct tree_steps *steps, struct error *err)
{
	size_t room = steps->room > 0 ? 2 * steps->room : 64;
	struct tree_step *grown;

	if (steps->count < steps->room)
		return 0;
	if (steps->count >= TREE_STEPS_MAX)
		return error_set(err, ERROR_FAILED,
		    _("more than %d directories wait for their turn: a tree "
		      "without an end"),
		    TREE_STEPS_MAX);
	grown = realloc(steps->items, room * sizeof(grown[0]));
	if (grown == NULL)
		return error_set_memory(err);
	steps->items = grown;
	steps->room = room;
	return 0;
}

int
tree_steps_push(struct tree_steps *steps, char *path, bool leaving,
    const struct file_facts *facts, struct error *err)
{
	auto_free char *owned = path;

	if (path == NULL || make_room(steps, err) < 0)
		return -1;
	steps->items[steps->count++] = (struct tree_step){
	    .path = steal(owned), .leaving = leaving, .facts = *facts};
	return 0;
}

const struct tree_step *
tree_steps_next(const struct tree_steps *steps)
{
	return steps->count > 0 ? &steps->items[steps->count - 1] : NULL;
}

struct tree_step
tree_steps_pop(struct tree_steps *steps)
{
	assert(steps->count > 0);
	return steps->items[--steps->count];
}
