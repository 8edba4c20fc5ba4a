/* tree_end.h - the ends of a copied tree: an instance, our own disk, or as a
 * source an archive
 *
 * What both can do, with the same words (stream/file_batch.h). A file or
 * directory that fails carries its failure; -1 is for what stops all. */

#ifndef ANKLUME_TRANSFER_TREE_END_H
#define ANKLUME_TRANSFER_TREE_END_H

#include <stdbool.h>
#include <stddef.h>

#include "incus/sftp_wire.h"
#include "stream/file_batch.h"

struct backup_member;
struct backup_members;
struct digest;
struct error;
struct local_tree;
struct sftp_load;
struct sftp_session;
struct sftp_store;
struct stream;

struct tree_end {
	struct sftp_session *session;	    /* borrowed; one of these three */
	struct local_tree *local;	    /* owned */
	struct backup_members *members;	    /* borrowed */
	const struct backup_member *member; /* where these are just now */
	char *label; /* what stands before a path in a message; owned */
	struct sftp_attributes opened; /* of the file that is read just now */
};

/* An instance; the session (borrowed) must outlive it. */
int tree_end_open_session(
    struct tree_end *end, struct sftp_session *session, struct error *err);

/* A directory of ours. */
int tree_end_open_local(
    struct tree_end *end, const char *path, struct error *err);

void tree_end_clear(struct tree_end *end);

/* Whether its connection has failed for good. */
bool tree_end_broken(const struct tree_end *end);

typedef int tree_taker(void *data, struct batch_directory *in, const char *name,
    const struct file_facts *facts, struct error *err);

int tree_end_list(struct tree_end *end, struct batch_directory *directories,
    size_t count, tree_taker *take, void *data, struct error *err);

/* A batch on its way at one end: what can be sent is, without waiting, so that
 * both ends work at the same time. */
struct tree_task {
	struct tree_end *end;
	struct file_batch *batch;
	struct sftp_load *load; /* one of these, for an instance */
	struct sftp_store *store;
	bool storing;
	bool done;
};

/* Begin to load a batch from the source, or to store it at the target. */
int tree_end_load(struct tree_end *end, struct file_batch *batch,
    struct tree_task *ret_task, struct error *err);
int tree_end_store(struct tree_end *end, struct file_batch *batch,
    struct tree_task *ret_task, struct error *err);

/* Wait for what is on its way, and send what comes next; sets `done`. */
int tree_task_go_on(struct tree_task *task, struct error *err);
void tree_task_clear(struct tree_task *task);

/* What is at hand only now, when the file is met: the content of an archive's.
 * The others leave it for later. */
int tree_end_take(
    struct tree_end *end, struct batch_file *file, struct error *err);

/* One larger file. It and the end must outlive the stream. */
struct stream *tree_end_read(
    struct tree_end *end, struct batch_file *file, struct error *err);

int tree_end_look(
    struct tree_end *end, struct file_batch *batch, struct error *err);
int tree_end_make(struct tree_end *end, struct batch_directory *directories,
    size_t count, struct error *err);
int tree_end_finish(struct tree_end *end, struct batch_directory *directories,
    size_t count, struct error *err);

/* `sent` as of sftp_writer.h. */
int tree_end_write(struct tree_end *end, struct batch_file *file,
    struct stream *body, const struct digest *sent, struct error *err);

/* One more name for a file that has arrived, over what is there. */
int tree_end_link(
    struct tree_end *end, const char *file, const char *to, struct error *err);

/* At the end of all. */
int tree_end_sync(struct tree_end *end, struct error *err);

#endif
