/* restore_run.h - one run of restore; for restore*.c only */

#ifndef ANKLUME_TRANSFER_RESTORE_RUN_H
#define ANKLUME_TRANSFER_RESTORE_RUN_H

#include <stdbool.h>

#include "base/json.h"
#include "incus/backup_subject.h"
#include "incus/instance.h"
#include "transfer/backup_source.h"
#include "transfer/create_missing.h"
#include "transfer/host_keys.h"
#include "transfer/restore_name.h"

struct error;
struct incus_client;
struct restore_request;
struct stream;
struct watch;

/* One restore: what was asked, and what is known of the archive. */
struct restore {
	const struct restore_request *request;
	const struct watch *watch;
	struct incus_client *client;
	char *found;	  /* the path, where `backup` named it */
	const char *file; /* that, or the request's own */
	struct backup_source source;
	bool presumed; /* something was taken from the record */

	struct instance_ref target; /* of a volume: its project, its name */
	char *pool;		    /* of a volume; or NULL */
	char *text;		    /* "NAME", or "POOL/NAME" of a volume */
	json_t *volumes;	    /* of the instance, that come before it */
	struct restore_name name;
	struct create_missing missing;

	struct host_keys_leave leave;
	json_t *replaced; /* api.Instance; what it has may be had again */
};

/* One of the questions that are asked before. */
typedef int (*restore_check)(struct restore *restore, struct error *err);

/* Ask them all, up to a NULL. What would go wrong is one report, with the
 * status of the first. */
int restore_look_at_all(
    struct restore *restore, const restore_check *checks, struct error *err);

int restore_check_needs(struct restore *restore, struct error *err);
int restore_check_space(struct restore *restore, struct error *err);
int restore_check_host_keys(struct restore *restore, struct error *err);

/* Choose where the instance goes, and look before the leap: all that would go
 * wrong is one report, with the status of the first. */
int restore_look(struct restore *restore, struct error *err);

/* The same for a volume; and its import, after which it is there, or nothing of
 * it. */
int restore_volume_look(struct restore *restore, struct error *err);
int restore_volume_import(
    struct restore *restore, struct stream *data, struct error *err);

/* Borrowed. */
struct backup_subject restore_volume_subject(const struct restore *restore);

/* Which of the instance's volumes are missing and can be had, and restoring
 * them. */
int restore_volumes_plan(struct restore *restore, struct error *err);
int restore_volumes(struct restore *restore, struct error *err);

#endif
