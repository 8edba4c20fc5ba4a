/* tree_steps.h - which directories of a tree are still to be done */

#ifndef ANKLUME_TRANSFER_TREE_STEPS_H
#define ANKLUME_TRANSFER_TREE_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "stream/file_batch.h"

struct error;

/* More directories than this waiting at once are taken for a tree without an
 * end; they take 150 bytes each. */
#define TREE_STEPS_MAX 100000

struct tree_step {
	char *path;   /* below the top of the tree, "" for itself; owned */
	bool leaving; /* all that is in it is done */
	struct file_facts facts;
};

/* A stack: what was found last is done first, so that the deepest tree keeps no
 * more than its height and the brothers on the way. Zero-initialised. */
struct tree_steps {
	struct tree_step *items;
	size_t count;
	size_t room;
};

void tree_steps_clear(struct tree_steps *steps);

/* Takes the path over, also on failure; -1 also when it is NULL. */
int tree_steps_push(struct tree_steps *steps, char *path, bool leaving,
    const struct file_facts *facts, struct error *err);

/* What comes next; NULL at the end. */
const struct tree_step *tree_steps_next(const struct tree_steps *steps);

/* Take it off: the path is the caller's. There must be one. */
struct tree_step tree_steps_pop(struct tree_steps *steps);

#endif
