#include "transfer/restore_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "store/catalogue.h"
#include "store/host_lock.h"
#include "store/manifest.h"
#include "transfer/backup_group.h"
#include "transfer/backup_state.h"
#include "transfer/backup_word.h"
#include "transfer/restore_plan.h"
#include "transfer/watch.h"

static const struct backup_group *
group_of(const struct restoration *restoration, const json_t *row)
{
	for (size_t i = 0; i < restoration->groups.count; i++) {
		const struct backup_group *group =
		    &restoration->groups.items[i];

		if (strcmp(group->fingerprint, restoration->server) == 0 &&
		    strcmp(group->project, json_text(row, "project")) == 0 &&
		    strcmp(group->subject, manifest_subject(row)) == 0)
			return group;
	}
	return NULL;
}

static int
try_archive(const struct restoration *restoration, json_t *row,
    const struct catalogue_entry *entry, struct error *err)
{
	/* The table has said what would be. */
	static const struct watch nobody = {0};
	struct restore_request one = restoration->request->each;
	struct restore_result made = {0};
	int result;

	one.file = entry->path;
	one.backup = NULL;
	one.name = NULL;
	one.project = NULL;
	/* Where a volume lies is said by the instances that have it attached.
	 */
	if (json_text(row, "volume") != NULL)
		one.storage = NULL;
	one.among_many = true;
	result = restore_backup(
	    &one, one.dry_run ? &nobody : restoration->watch, &made, err);
	if (result == 0 && !one.dry_run)
		(void)json_object_set_new(
		    row, "origin", json_string(made.origin));
	restore_result_clear(&made);
	return result;
}

/* What is found to be damaged only while it is read, too, gives its turn to an
 * older one. */
static void
try_archives(
    const struct restoration *restoration, json_t *row, struct error *failure)
{
	const struct backup_group *group = group_of(restoration, row);
	const struct catalogue_entry *entry =
	    restore_plan_next(restoration, group, NULL);

	while (try_archive(restoration, row, entry, failure) < 0) {
		struct error ignored = {0};

		entry = restore_plan_next(restoration, group, entry);
		if (failure->code != ERROR_DAMAGED || entry == NULL ||
		    !restore_plan_trusts(restoration, entry))
			return;
		watch_note(
		    restoration->watch, _("passed over: %s"), failure->text);
		error_clear(failure);
		(void)restore_plan_name(row, entry, &ignored);
	}
}

static void
restore_one(const struct restoration *restoration, json_t *row)
{
	const struct restore_all_request *request = restoration->request;
	struct error failure = {0};

	try_archives(restoration, row, &failure);
	(void)json_object_set_new(
	    row, "status", json_integer((json_int_t)failure.code));
	if (error_is_set(&failure))
		(void)json_object_set_new(
		    row, "error", json_string(failure.text));
	if (failure.hint[0] != '\0')
		(void)json_object_set_new(
		    row, "hint", json_string(failure.hint));
	if (request->done != NULL)
		request->done(request->data, row);
}

/* What the next one would only meet again. */
static bool
ends_run(const json_t *row)
{
	json_int_t status = json_number(row, "status");

	return status == ERROR_INTERRUPTED || status == ERROR_TERMINATED ||
	       status == ERROR_UNREACHABLE;
}

static int
carry_out(const struct restoration *restoration, struct error *err)
{
	bool strangers = false;
	size_t wanting = 0;
	json_t *row;
	size_t i;

	json_array_foreach(restoration->plan, i, row)
	{
		const char *plan = json_text(row, "plan");

		if (strcmp(plan, PLAN_EXISTS) == 0)
			continue;
		if (strcmp(plan, PLAN_RESTORE) != 0) {
			strangers |= strcmp(plan, PLAN_UNKNOWN) == 0;
			wanting++;
			continue;
		}
		restore_one(restoration, row);
		wanting += json_number(row, "status") != 0;
		if (interrupt_check(err) < 0)
			return -1;
		if (ends_run(row))
			return error_set(err,
			    (enum error_code)json_number(row, "status"), "%s",
			    json_text(row, "error"));
	}
	if (wanting == 0)
		return 0;
	error_set(err, ERROR_PARTIAL,
	    _("%zu of %zu instances and volumes were not restored"), wanting,
	    json_array_size(restoration->plan));
	if (strangers)
		error_hint_command(
		    err, "anklume", "backup", "adopt", restoration->from, NULL);
	return -1;
}

static int
run(struct restoration *restoration, struct incus_client *client,
    const char *fingerprint, struct error *err)
{
	const struct restore_all_request *request = restoration->request;

	restoration->client = client;
	if (incus_list_names(client, &restoration->names, err) < 0 ||
	    restore_plan_make(restoration, fingerprint, err) < 0)
		return -1;
	if (request->planned != NULL)
		request->planned(request->data, restoration->plan);
	return carry_out(restoration, err);
}

/* Of two runs each would find made what it has planned, and fail over it. */
static int
run_alone(struct restoration *restoration, struct incus_client *client,
    const char *fingerprint, struct error *err)
{
	auto_free char *name = text_format(err, "restore-%.12s", fingerprint);
	int lock = name != NULL ? host_lock_take(name, 0, err) : -1;
	int result;

	if (name == NULL || (lock < 0 && host_lock_is_refused(err)))
		return -1;
	if (lock < 0) {
		watch_note(restoration->watch,
		    _("not locked against other runs: %s"), err->text);
		error_clear(err);
	}
	result = run(restoration, client, fingerprint, err);
	if (lock >= 0)
		host_lock_drop(name, lock);
	return result;
}

static int
reach_daemon(struct restoration *restoration, struct error *err)
{
	const struct restore_request *each = &restoration->request->each;
	auto_client struct incus_client *client =
	    incus_client_open(each->timeout_s, err);
	const struct incus_server *server =
	    client != NULL ? incus_client_server(client, err) : NULL;

	if (server == NULL)
		return -1;
	return each->dry_run
		   ? run(restoration, client, server->fingerprint, err)
		   : run_alone(restoration, client, server->fingerprint, err);
}

int
restore_all(const struct restore_all_request *request,
    const struct watch *watch, json_t **ret_plan, struct error *err)
{
	const char *from =
	    request->each.from != NULL ? request->each.from : BACKUP_DIRECTORY;
	auto_catalogue struct catalogue catalogue = {0};
	struct restoration restoration = {
	    .request = request,
	    .watch = watch,
	    .from = from,
	    .plan = json_array(),
	};
	int result = -1;

	if (signature_demand_check(&request->each.signature, err) == 0 &&
	    catalogue_read(from, &catalogue, err) == 0 &&
	    backup_groups_make(&catalogue, &restoration.groups, err) == 0)
		result = reach_daemon(&restoration, err);
	instance_names_clear(&restoration.names);
	backup_groups_clear(&restoration.groups);
	*ret_plan = restoration.plan;
	return result;
}
