/* backup.h - an instance or a custom volume as a stream out of the daemon, and
 * back into it */

#ifndef ANKLUME_INCUS_BACKUP_H
#define ANKLUME_INCUS_BACKUP_H

#include <stdbool.h>

#include "base/json.h"
#include "incus/backup_subject.h"

struct error;
struct incus_client;
struct stream;

/* A spooled export is deleted when its stream is freed; should we be killed,
 * the daemon does it after this time (as with `incus export`). */
#define BACKUP_EXPIRY_S (24 * 60 * 60)

/* How a spooled one is named, with random hexadecimal digits behind it. */
#define BACKUP_NAME_PREFIX "anklume-"
#define BACKUP_NAME_DIGITS 16

struct backup_options {
	bool instance_only; /* without snapshots */
	bool whole_first;   /* a spooled one is read when it is whole */

	/* Told in a word before a wait that may be long; may be NULL. */
	void (*note)(void *data, const char *text);
	/* Called when nobody needs the export any more that the daemon has not
	 * ended; may be NULL. */
	void (*abandoned)(void *data);
	void *data;
};

/* The backup tar of an instance or a volume, uncompressed. With the API
 * extension direct_backup it comes straight out of the daemon; *ret_spooled
 * says whether it was spooled on the daemon's disk instead. The client must
 * outlive the stream. */
struct stream *incus_backup_open(struct incus_client *client,
    const struct backup_subject *of, const struct backup_options *options,
    bool *ret_spooled, struct error *err);

/* The exports that are of our making, in an array (name, created_at); the
 * caller owns it. ERROR_NOT_FOUND without the instance or volume. */
int incus_backup_list(struct incus_client *client,
    const struct backup_subject *of, json_t **ret_exports, struct error *err);

/* Delete one; one that has gone is fine. */
int incus_backup_delete(struct incus_client *client,
    const struct backup_subject *of, const char *name, struct error *err);

struct import_request {
	const char *project;
	const char *name;
	const char *pool; /* NULL: as the archive says, or the default */
};

/* Import the tar `body` (borrowed) as a new instance. The daemon acts only when
 * the upload is whole; the last chunk is withheld until `body` has ended well.
 * When interrupted after that, the instance is deleted again. */
int incus_backup_import(struct incus_client *client,
    const struct import_request *request, struct stream *body,
    struct error *err);

/* The same for a volume, whose pool must be there. */
int incus_backup_import_volume(struct incus_client *client,
    const struct backup_subject *volume, struct stream *body,
    struct error *err);

#endif
