/* local_below.h - below one open directory, for local_tree*.c only */

#ifndef ANKLUME_STORE_LOCAL_BELOW_H
#define ANKLUME_STORE_LOCAL_BELOW_H

struct batch_file;
struct error;
struct file_batch;

struct local_tree {
	int fd;
	char *name; /* as typed, for messages */
};

/* Open a path below the directory without leaving it or following a symlink;
 * -1 with errno set. The kernel has openat2(2) since 5.6. */
int local_open_below(
    const struct local_tree *tree, const char *path, int flags);

/* Open the directory that `path` lies in; its last component, inside `path`, in
 * *ret_name. -1 with errno set. */
int local_open_parent(
    const struct local_tree *tree, const char *path, const char **ret_name);

/* One part of a batch's work; what is wrong becomes the file's failure. */
typedef void local_action(struct local_tree *tree, struct batch_file *file);

/* Do it to every file of the batch that is wanted still, links and regular
 * files apart. -1 when interrupted. */
int local_each(struct local_tree *tree, struct file_batch *batch,
    local_action *link, local_action *regular, struct error *err);

/* From errno: "<what> '<tree>/<path>': ...". Always -1. */
int local_fail(const struct local_tree *tree, const char *path,
    const char *what, struct error *failure);

#endif
