/* create_run.h - one run of create; for create*.c only */

#ifndef ANKLUME_TRANSFER_CREATE_RUN_H
#define ANKLUME_TRANSFER_CREATE_RUN_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "base/json.h"
#include "incus/backup_subject.h"
#include "incus/instance.h"
#include "transfer/create_keys.h"
#include "transfer/create_lock.h"
#include "transfer/export.h"

struct create_request;
struct create_result;
struct description;
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

	struct backup_subject subject; /* the instance, or the volume */
	char *text;		       /* of it: "NAME", or "POOL/NAME" */
	char *stem;		       /* of its archives' names */
	json_t *about;		       /* api.Instance or api.StorageVolume */
	json_t *project;	       /* api.Project that it is in */
	json_t *volumes;	       /* attached ones (attached_volumes.h) */

	/* The instance; of a volume, the only one that has it attached, or
	 * without names. */
	struct instance_ref instance;
	json_t *instance_about; /* of a volume's; owned */
	bool running;		/* it, or one of several */

	time_t started;
	struct stat output; /* where it goes, as it was found */
	char *name;	    /* of the archive */

	struct exported exported;
};

/* Of a run over many, which knows what this one needs not ask. */
bool create_is_of_many(const struct create *create);

/* The daemon, and what is known of it already. */
int create_open_client(struct create *create, struct error *err);

/* Everything that can be refused before the daemon is put to work; the locks
 * are taken. */
int create_prepare(struct create *create, struct error *err);

/* The volume of the request, and who has it attached. */
int create_find_volume(struct create *create, struct error *err);

/* Back up the volumes that the instance has attached, or take what has become
 * of them already, and write down in `volumes` where they are. */
int create_volumes(struct create *create, struct error *err);

/* The archive is there: write down what is known of it. */
int create_publish(
    struct create *create, struct create_result *result, struct error *err);

#endif
