/* create_run.h - one run of create; for create*.c only */

#ifndef ANKLUME_TRANSFER_CREATE_RUN_H
#define ANKLUME_TRANSFER_CREATE_RUN_H

#include <sys/stat.h>
#include <time.h>

#include "base/json.h"
#include "incus/instance.h"
#include "transfer/create_keys.h"
#include "transfer/create_lock.h"
#include "transfer/export.h"

struct create_request;
struct error;
struct incus_client;
struct watch;

/* One creation: what was asked, found, and learned on the way. */
struct create {
	const struct create_request *request;
	const struct watch *watch;
	struct incus_client *client;
	struct create_keys own_keys;
	const struct create_keys *keys; /* these, or the request's */
	struct create_lock lock;
	struct instance_ref instance;
	json_t *about; /* api.Instance */
	time_t started;
	struct stat output; /* where it goes, as it was found */
	char *name;	    /* of the archive */

	struct exported exported;
};

/* Everything that can be refused before the daemon is put to work; the locks
 * are taken. */
int create_prepare(struct create *create, struct error *err);

#endif
