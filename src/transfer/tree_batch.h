/* tree_batch.h - the files of a tree that wait to be copied together
 *
 * What is small is gathered until a batch is full, over as many directories as
 * that takes; one batch is loaded while the one before is stored. A larger file
 * is copied by itself. A directory is left only when the files in it have
 * arrived. */

#ifndef ANKLUME_TRANSFER_TREE_BATCH_H
#define ANKLUME_TRANSFER_TREE_BATCH_H

#include <stdbool.h>

struct batch_directory;
struct copy_result;
struct error;
struct file_facts;
struct tree_batch;
struct tree_request;

/* Both are borrowed; *result is added to. */
struct tree_batch *tree_batch_new(const struct tree_request *request,
    struct copy_result *result, struct error *err);
void tree_batch_free(struct tree_batch *batch);

/* A regular file or a link, whose paths are taken over. `look`: something may
 * lie at the target already. */
int tree_batch_add(struct tree_batch *batch, char *from, char *to,
    const struct file_facts *facts, bool look, struct error *err);

/* A directory with nothing more to come; takes over what it owns. */
int tree_batch_leave(struct tree_batch *batch,
    struct batch_directory *directory, struct error *err);

/* Copy all that waits. */
int tree_batch_flush(struct tree_batch *batch, struct error *err);

#endif
