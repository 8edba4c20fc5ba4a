/* copy_end.h - the two ends of a copy: where a file comes from and goes to,
 * whether that is an instance, our own disk, or a pipe */

#ifndef ANKLUME_TRANSFER_COPY_END_H
#define ANKLUME_TRANSFER_COPY_END_H

#include <stdbool.h>
#include <stdint.h>

#include "incus/instance.h"
#include "incus/sftp_walk.h"
#include "transfer/audited_run.h"
#include "transfer/location.h"

struct copy_request;
struct digest;
struct error;
struct incus_client;
struct sftp_session;
struct stream;

/* One end, its names resolved. */
struct copy_end {
	const char *text; /* as typed */
	struct location location;
	struct instance_ref instance;
	struct sftp_session *session;
	struct sftp_walk *walk;	  /* on its way to where the location leads */
	struct sftp_place target; /* what copy_end_target() has found */
	char *judged; /* where the policy saw it lead; NULL: not asked */
};

void copy_end_clear(struct copy_end *end);

/* What the trail tells of an end; as typed, where it was not found. Borrowed.
 */
struct audited_place copy_end_audited(const struct copy_end *end);

/* Start the session into the end's instance, should it be one, without
 * waiting; then wait until it takes requests. */
int copy_end_connect(
    struct incus_client *client, struct copy_end *end, struct error *err);
int copy_end_ready(struct copy_end *end, struct error *err);

/* Whether the session has failed for good. */
bool copy_end_broken(const struct copy_end *end);

/* Ask what copy_end_target() will want to know, without waiting. */
int copy_end_look_ahead(struct copy_end *end, struct error *err);

/* What is known of a source. */
struct copy_file {
	bool has_attributes; /* false: a pipe */
	bool has_owner;	     /* its ids mean something in an instance */
	uint64_t size_bytes;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	int64_t atime_s;
	int64_t mtime_s;
	bool grew;		   /* set at its end */
	const struct digest *sent; /* of its bytes, to verify them; or NULL */
	uint64_t written_bytes;	   /* set when it has arrived */
};

/* Open the source; *ret_file must outlive the stream. */
struct stream *copy_end_open(
    struct copy_end *end, struct copy_file *ret_file, struct error *err);

/* Where the location leads in its instance. */
int copy_end_resolve(const struct copy_end *end, struct sftp_place *ret_place,
    struct error *err);

/* Whether files can be put inside this end: 1, 0, or -1. A trailing slash says
 * that it is meant to be a directory. */
int copy_end_is_directory(struct copy_end *end, struct error *err);

/* The path that a file called `name` gets at this end: the location's own, or
 * inside it when that is a directory, resolved. NULL with err clear for a pipe.
 * Makes missing directories when asked to. Heap. */
char *copy_end_target(struct copy_end *end, const char *name,
    const struct copy_request *request, struct error *err);

/* Whether `target`, which copy_end_target() has just given, is a file of the
 * same size and time already. */
bool copy_end_is_current(const struct copy_end *end, const char *target,
    const struct copy_file *file);

/* Read `body` (borrowed) to its end into `target`, which copy_end_target() has
 * just given. */
int copy_end_put(struct copy_end *end, const char *target,
    struct copy_file *file, const struct copy_request *request,
    struct stream *body, struct error *err);

#endif
