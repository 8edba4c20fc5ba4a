/* copy_tree.h - where a tree comes from and goes to, by the rules of cp(1) */

#ifndef ANKLUME_TRANSFER_COPY_TREE_H
#define ANKLUME_TRANSFER_COPY_TREE_H

struct copy_end;
struct copy_policy;
struct copy_request;
struct copy_result;
struct error;
struct watch;

/* One tree to be copied; all is borrowed, and *result is added to. */
struct copy_tree_job {
	const struct copy_request *request;
	const struct watch *watch;
	struct copy_policy *policy;
	struct copy_end *source; /* both are ready */
	struct copy_end *destination;
	struct copy_result *result;
};

/* Whether the source, which is ready, is a directory: 1, 0, or -1. */
int copy_tree_is_one(struct copy_end *source, struct error *err);

/* What the copy of a source is called inside a directory; "" for "/", and for
 * "." and "..", which stand for what is in them. Heap. */
char *copy_tree_name(const struct copy_end *source, struct error *err);

/* Copy a directory: into the destination when that is a directory, under its
 * own name; else the destination becomes its copy. The policy judges the tops
 * that both turn out to be, and whatever lies below them. */
int copy_tree(const struct copy_tree_job *job, struct error *err);

#endif
