/* restore_run.h - one run of restore; for restore*.c only */

#ifndef ANKLUME_TRANSFER_RESTORE_RUN_H
#define ANKLUME_TRANSFER_RESTORE_RUN_H

#include <stdbool.h>

#include "incus/instance.h"
#include "transfer/backup_source.h"
#include "transfer/create_missing.h"
#include "transfer/host_keys.h"
#include "transfer/restore_name.h"

struct error;
struct incus_client;
struct restore_request;
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

	struct instance_ref target;
	struct restore_name name;
	struct create_missing missing;

	struct host_keys_leave leave;
	json_t *replaced; /* api.Instance; what it has may be had again */
};

/* Choose where the instance goes, and look before the leap: all that would go
 * wrong is one report, with the status of the first. */
int restore_look(struct restore *restore, struct error *err);

#endif
