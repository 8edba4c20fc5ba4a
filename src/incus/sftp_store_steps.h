/* sftp_store_steps.h - what each file of a batch does on its way into an
 * instance, step by step; for sftp_store*.c only */

#ifndef ANKLUME_INCUS_SFTP_STORE_STEPS_H
#define ANKLUME_INCUS_SFTP_STORE_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "incus/sftp_session.h"
#include "incus/sftp_wire.h"
#include "stream/file_batch.h"

struct error;
struct item;
struct sftp_store;

/* What one file may have on its way at once: its owner and its writes. */
#define ANSWERS_MAX 5

/* One file on its way. */
struct item {
	struct batch_file *file;
	char *temporary; /* path; NULL while it is not there */
	struct sftp_handle handle;
	struct sftp_pending answers[ANSWERS_MAX];
	size_t sent;
	size_t end_bytes; /* of what has been written, without holes */
	bool wrong_owner; /* seen at its end */
};

typedef int item_sender(
    struct sftp_store *store, struct item *item, struct error *err);
typedef void item_judge(struct sftp_store *store, struct item *item);

/* What all files of the batch do together: a round trip. Send something for one
 * file; and hear what came of it. */
struct stage {
	item_sender *send;
	item_judge *judge;
	bool verified; /* what was written is read back before */
};

struct sftp_store {
	struct sftp_session *session;
	struct file_batch *batch;
	const struct stage *stage; /* on its way */
	size_t count;
	struct item items[FILE_BATCH_MAX];
};

/* See what lies at its target. */
extern const struct stage sftp_store_look_stage;

/* Be made, get content and attributes, take its name; in this order, ended by
 * one without `send`. */
extern const struct stage sftp_store_stages[];

#endif
