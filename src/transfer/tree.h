/* tree.h - a directory with all that is in it, from one end to the other */

#ifndef ANKLUME_TRANSFER_TREE_H
#define ANKLUME_TRANSFER_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "stream/file_batch.h"

struct copy_request;
struct copy_result;
struct error;
struct tree_end;
struct watch;

struct tree_request {
	const struct copy_request *copy;
	const struct watch *watch;

	struct tree_end *source;
	struct tree_end *target;
	const char *from;      /* the top of the tree, at the source */
	const char *to;	       /* and at the target: its parent is there */
	struct file_facts top; /* of the source's top */

	/* Whose the new files are: the source's numeric ids, or these; -1 is
	 * whoever writes them. */
	bool keep_owner;
	int64_t uid;
	int64_t gid;
	uint32_t umask; /* the bits that new files do not get */

	/* Whether something may be copied: its path below both tops. -1 with
	 * ERROR_DENIED when not. NULL: everything may. */
	int (*judge)(void *data, const char *path, struct error *err);
	void *judge_data;
};

/* "top/path"; the top itself, which may be ".", where the path is "". Heap. */
char *tree_below(const char *top, const char *path, struct error *err);

/* Owner and mode of a directory, by its facts: when it is made, and when all
 * that is in it has arrived (uid and gid -1: as they are). */
void tree_choose_arrival(
    const struct tree_request *request, struct batch_directory *directory);
void tree_choose_leaving(
    const struct tree_request *request, struct batch_directory *directory);

/* Say and count what has failed. */
void tree_note_failure(const struct tree_request *request,
    const struct error *failure, struct copy_result *result);

/* Say and count what is neither file, directory nor link. `path` as at the
 * source. */
void tree_skip_special(const struct tree_request *request, const char *path,
    uint32_t mode, struct copy_result *result);

/* Copy the tree: regular files, directories, and symlinks as links. What cannot
 * be copied is noted and counted in *result, which is added to; anything else
 * than files, directories and links is skipped, noted and counted. -1 when the
 * tree's top fails, or for what stops all: then only whole files are there.
 * Memory is bounded by what directories wait for their turn. */
int tree_copy(const struct tree_request *request, struct copy_result *result,
    struct error *err);

#endif
