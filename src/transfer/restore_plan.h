/* restore_plan.h - which archive each volume and instance comes from; for
 * restore_all.c and restore_plan.c only */

#ifndef ANKLUME_TRANSFER_RESTORE_PLAN_H
#define ANKLUME_TRANSFER_RESTORE_PLAN_H

#include <stdbool.h>

#include "base/json.h"
#include "incus/instance.h"
#include "transfer/backup_group.h"

struct catalogue_entry;
struct error;
struct incus_client;
struct restore_all_request;
struct watch;

/* What is planned for one; untranslated, as in JSON. */
#define PLAN_RESTORE "restore"
#define PLAN_EXISTS "exists"
#define PLAN_UNKNOWN "unknown origin"
#define PLAN_DAMAGED "no intact archive"

/* One run. */
struct restoration {
	const struct restore_all_request *request;
	const struct watch *watch;
	struct incus_client *client;
	struct backup_groups groups;
	struct instance_names names; /* that exist */
	const char *from;
	const char *server; /* a fingerprint; borrowed */
	json_t *plan;
};

/* Fill `plan`, volumes first: instances need theirs. `own` is this daemon's
 * fingerprint, whose archives go before those of the only other server.
 * ERROR_NOT_FOUND, ERROR_AMBIGUOUS. */
int restore_plan_make(
    struct restoration *restoration, const char *own, struct error *err);

/* The newest archive of a group that is as its manifest says, and old enough;
 * with `after`, one that is older than that one. NULL when there is none. */
const struct catalogue_entry *restore_plan_next(
    const struct restoration *restoration, const struct backup_group *group,
    const struct catalogue_entry *after);

/* Write into a row of the plan which archive it is about. */
int restore_plan_name(
    json_t *row, const struct catalogue_entry *entry, struct error *err);

/* Whether an archive may choose where it goes; proven when it is read. */
bool restore_plan_trusts(
    const struct restoration *restoration, const struct catalogue_entry *entry);

#endif
