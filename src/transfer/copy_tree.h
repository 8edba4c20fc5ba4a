/* copy_tree.h - where a tree comes from and goes to, by the rules of cp(1) */

#ifndef ANKLUME_TRANSFER_COPY_TREE_H
#define ANKLUME_TRANSFER_COPY_TREE_H

struct copy_end;
struct copy_request;
struct copy_result;
struct error;
struct watch;

/* Whether the source, which is ready, is a directory: 1, 0, or -1. */
int copy_tree_is_one(struct copy_end *source, struct error *err);

/* Copy a directory: into the destination when that is a directory, under its
 * own name; else the destination becomes its copy. A source that ends with "/."
 * stands for what is in it. Both ends are ready. */
int copy_tree(const struct copy_request *request, const struct watch *watch,
    struct copy_end *source, struct copy_end *destination,
    struct copy_result *result, struct error *err);

#endif
