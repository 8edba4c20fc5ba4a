/* tree_target.h - where a tree goes to, by the rules of cp(1): into a directory
 * under its own name, else the destination becomes its copy */

#ifndef ANKLUME_TRANSFER_TREE_TARGET_H
#define ANKLUME_TRANSFER_TREE_TARGET_H

#include <stdbool.h>

#include "stream/file_batch.h"
#include "transfer/tree_end.h"

struct copy_end;
struct copy_request;
struct error;

struct tree_target {
	struct tree_end end;
	char *to;	      /* the top's path there; owned */
	bool inside;	      /* in a directory that was there */
	struct file_facts in; /* what the top lies in, in an instance */
};

/* The last component of a path, without the slashes behind it; "" for "/", "."
 * and "..", which give no name to a copy. Heap. */
char *tree_target_name(const char *path, struct error *err);

/* Find, and with --create-dirs make, what the top called `name` lies in. The
 * destination is connected. With `may_be_file` the top may turn out to be a
 * file and replace one. ERROR_NOT_FOUND, ERROR_EXISTS. */
int tree_target_find(struct copy_end *destination, const char *name,
    const struct copy_request *request, bool may_be_file,
    struct tree_target *ret_target, struct error *err);

void tree_target_clear(struct tree_target *target);

#endif
