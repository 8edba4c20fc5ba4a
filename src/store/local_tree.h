/* local_tree.h - a directory of ours as one end of a copied tree
 *
 * All happens below one open directory: no path leaves it, and no symlink
 * inside it is followed (openat2(2), RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS),
 * whatever others do there meanwhile. Paths are relative to it; "." is itself.
 */

#ifndef ANKLUME_STORE_LOCAL_TREE_H
#define ANKLUME_STORE_LOCAL_TREE_H

#include <stddef.h>

struct batch_directory;
struct batch_file;
struct digest;
struct error;
struct file_batch;
struct file_facts;
struct local_tree;
struct stream;

/* Open a directory; the path itself may be a symlink. NULL with err set. */
struct local_tree *local_tree_open(const char *path, struct error *err);
void local_tree_free(struct local_tree *tree);

/* Who takes the entries of a directory; -1 with err set stops all. */
struct local_taker {
	void *data;
	int (*take)(void *data, struct batch_directory *in, const char *name,
	    const struct file_facts *facts, struct error *err);
};

/* In all that follow: files and directories that have failed are passed over,
 * what is wrong with one becomes its failure, and -1 is for what stops all. */

/* List each directory, at its path `from`. */
int local_tree_list(struct local_tree *tree,
    struct batch_directory *directories, size_t count,
    const struct local_taker *taker, struct error *err);

/* Read every file and link of the batch whole. */
int local_tree_load(
    struct local_tree *tree, struct file_batch *batch, struct error *err);

/* A larger file, as a stream. `file` must outlive it. */
struct stream *local_tree_read(
    struct local_tree *tree, struct batch_file *file, struct error *err);

/* See what lies at the path `to` of every file that is to be looked for. */
int local_tree_look(
    struct local_tree *tree, struct file_batch *batch, struct error *err);

/* Make each directory at its path `to`; one that is there stays as it
 * is. */
int local_tree_make(struct local_tree *tree,
    struct batch_directory *directories, size_t count, struct error *err);

/* Set mode and times of those that were made, and last of all. */
int local_tree_finish(struct local_tree *tree,
    struct batch_directory *directories, size_t count, struct error *err);

/* Write every file and link of the batch to its path `to`: each is all or
 * nothing. */
int local_tree_store(
    struct local_tree *tree, struct file_batch *batch, struct error *err);

/* Write one file from a stream (borrowed), read to its end; `sent` as of
 * local_file.h. */
int local_tree_write(struct local_tree *tree, struct batch_file *file,
    struct stream *body, const struct digest *sent, struct error *err);

/* Make `to` another name of the file `from`, over what is there. */
int local_tree_link(struct local_tree *tree, const char *from, const char *to,
    struct error *err);

/* Make all that was written last through a loss of power: once, at the end. */
int local_tree_sync(struct local_tree *tree, struct error *err);

#endif
