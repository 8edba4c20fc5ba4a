/* file_batch.h - small files on the move, many at a time, each whole in memory
 *
 * A tree is mostly small files, and a request takes longer on its way than its
 * bytes do: so one end reads a whole batch at once, and the other writes it.
 * Here meet the ends, which know nothing of each other. */

#ifndef ANKLUME_STREAM_FILE_BATCH_H
#define ANKLUME_STREAM_FILE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Files in a batch: enough to keep the daemon's SFTP server busy. */
#define FILE_BATCH_MAX 64

/* What a batch may hold, and one file in it: a larger one is worth a stream of
 * its own. */
#define FILE_BATCH_BYTES ((size_t)4 * 1024 * 1024)
#define FILE_BATCH_FILE_BYTES ((size_t)512 * 1024)

/* What is known of a file, wherever it lies. */
struct file_facts {
	uint32_t mode; /* with its type, as in stat(2); 0: nothing is there */
	uint32_t uid;
	uint32_t gid;
	uint64_t size_bytes;
	int64_t atime_s;
	int64_t mtime_s;
};

/* A regular file or a symlink. */
struct batch_file {
	char *from; /* whole paths, owned */
	char *to;
	struct file_facts facts; /* as it was listed */
	bool grew;		 /* since then; `content` is what was listed */

	/* All of it, or the target of a link; NUL behind it. Owned. */
	unsigned char *content;
	size_t size_bytes;

	/* How it is to be on arrival: permissions, owner (uid -1: whoever
	 * writes it), times. */
	uint32_t mode;
	int64_t uid;
	int64_t gid;
	bool exclusive; /* nothing may be there */
	bool in_place;	/* a file is there: write into it */
	bool verify;	/* read back before it gets its name */

	bool look; /* whether something lies at `to` is not known yet */
	struct file_facts there;

	bool skip;    /* nothing is to be done for it any more */
	bool arrived; /* the same: it has been written by itself */

	/* Set by whoever could not do its part; the others pass it over. */
	struct error failure;
};

struct file_batch {
	size_t count;
	size_t size_bytes; /* of all that is in it, as listed */
	struct batch_file files[FILE_BATCH_MAX];
};

/* A directory on its way. */
struct batch_directory {
	char *from; /* whole paths, owned */
	char *to;
	struct file_facts facts; /* as it was listed */

	/* How it is to be on arrival. */
	uint32_t mode;
	int64_t uid;
	int64_t gid;

	bool existed; /* at the destination: it stays as it is */
	struct error failure;
};

/* Directories in a round. */
#define DIRECTORY_BATCH_MAX 64

/* Frees what it owns. */
void batch_directory_clear(struct batch_directory *directory);

/* Empty; heap. NULL with err set. */
struct file_batch *file_batch_new(struct error *err);
void file_batch_free(struct file_batch *batch);

/* Whether another file of this size fits. */
bool file_batch_has_room(const struct file_batch *batch, uint64_t size_bytes);

/* Add a file; takes over both paths, also on failure. NULL when one of them is.
 */
struct batch_file *file_batch_add(
    struct file_batch *batch, char *from, char *to, uint64_t size_bytes);

/* Room for the content of a file; sets its failure when memory is out. */
int batch_file_reserve(struct batch_file *file, size_t size_bytes);

/* Whether something is to be done for it still. */
bool batch_file_is_wanted(const struct batch_file *file);

/* Frees what it owns. */
void batch_file_clear(struct batch_file *file);

/* Forget all files; the batch can be filled again. */
void file_batch_clear(struct file_batch *batch);

#endif
