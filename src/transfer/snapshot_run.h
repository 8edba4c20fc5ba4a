/* snapshot_run.h - one run over the instances that the words name; for
 * snapshot*.c only */

#ifndef ANKLUME_TRANSFER_SNAPSHOT_RUN_H
#define ANKLUME_TRANSFER_SNAPSHOT_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "incus/instance.h"

struct error;
struct incus_client;
struct snapshot_request;
struct watch;

/* One run: the instances that the words name, and what to do to each. */
struct snapshot_run {
	const struct snapshot_request *request;
	const struct watch *watch;
	struct incus_client *client;
	struct instance_names known;
	size_t word_count; /* instances, but for: */
	bool second_may_be_name;
	const char *name; /* of the snapshot; borrowed, may be NULL */
	size_t count;
	struct instance_ref *instances;
};

/* Whether the second of two words names the snapshot. */
enum snapshot_second_word {
	SECOND_IS_INSTANCE,
	SECOND_MAY_BE_NAME, /* when it is the name of no instance */
	SECOND_IS_NAME,	    /* which the verb cannot do without */
};

struct snapshot_verb {
	enum snapshot_second_word second;
	const char *audited; /* the command, for the trail; NULL leaves none */
	int (*check_name)(const char *name, struct error *err);
	/* *result is the instance's object, to be added to. */
	int (*act)(struct snapshot_run *run, const struct instance_ref *of,
	    json_t *result, struct error *err);
};

/* Find the instances, act on each, and leave a line in the trail. `made` is the
 * name for a snapshot that none was asked for; NULL: there must be one. One
 * object for each instance in *ret_results, owned by the caller. */
int snapshot_run_verb(const struct snapshot_request *request,
    const struct watch *watch, const struct snapshot_verb *verb,
    const char *made, json_t **ret_results, struct error *err);

#endif
