/* create_piece.h - one instance or volume of a run over several: its process,
 * and what it tells; for create_jobs.c and create_piece.c only */

#ifndef ANKLUME_TRANSFER_CREATE_PIECE_H
#define ANKLUME_TRANSFER_CREATE_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "incus/backup_subject.h"

struct create_jobs_request;
struct error;
struct instance_ref;
struct job;
struct watch;

struct piece {
	const struct create_jobs_request *request;
	const struct watch *watch;
	const struct pieces *all;

	const struct instance_ref *instance; /* NULL: a volume */
	json_t *volume;			     /* of the request's; or NULL */
	struct backup_subject of;
	char *text;	/* "NAME", or "POOL/NAME"; owned */
	json_t *result; /* borrowed from the run's */

	struct job *job;
	bool done;
	bool received;	     /* the daemon has given all of it */
	bool alone;	     /* for want of room: no other runs beside it */
	uint64_t need_bytes; /* of the daemon's spool */
	int64_t begun_ms;
	uint64_t bytes; /* of its tar, so far */
};

struct pieces {
	size_t count;
	struct piece *items;
};

/* What it is of, when `all`, `request` and `watch` are set: the instance, or
 * the volume. Its result is a new object of `backups`. */
int piece_fill(struct piece *piece, const struct instance_ref *instance,
    json_t *volume, json_t *backups, struct error *err);

/* Start its process. */
int piece_begin(struct piece *piece, struct error *err);

/* Hear what it tells. True when it has ended: *ret_failure is why, or clear,
 * and its result has what it found. */
bool piece_hear(struct piece *piece, struct error *ret_failure);

/* It is done, as `failure` says or well: tell who asked. */
void piece_settle(struct piece *piece, const struct error *failure);

/* Ends one that still runs. */
void piece_clear(struct piece *piece);

#endif
