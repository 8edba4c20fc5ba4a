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
#include "transfer/backup_group.h"
#include "transfer/backup_state.h"
#include "transfer/backup_word.h"
#include "transfer/origin.h"
#include "transfer/watch.h"

/* What is planned for an instance; untranslated, as in JSON. */
#define PLAN_RESTORE "restore"
#define PLAN_EXISTS "exists"
#define PLAN_UNKNOWN "unknown origin"
#define PLAN_DAMAGED "no intact archive"

/* One run. */
struct restoration {
	const struct restore_all_request *request;
	const struct watch *watch;
	struct backup_groups groups;
	struct instance_names names; /* that exist */
	const char *from;
	const char *server; /* a fingerprint; borrowed */
	json_t *plan;
};

/* Whether it had been made by the time that is asked for. */
static bool
is_old_enough(
    const struct restoration *restoration, const struct catalogue_entry *entry)
{
	time_t at = restoration->request->at;
	time_t when;

	return backup_group_time(entry, &when) && (at == 0 || when <= at);
}

/* The newest that is as its manifest says, and old enough; with `after`, one
 * that is older than that one. */
static const struct catalogue_entry *
newest(const struct restoration *restoration, const struct backup_group *group,
    const struct catalogue_entry *after)
{
	bool passed = after == NULL;

	for (size_t i = 0; i < group->count; i++) {
		const struct catalogue_entry *entry = group->entries[i];

		if (passed && is_old_enough(restoration, entry) &&
		    backup_seems_intact(entry))
			return entry;
		passed |= entry == after;
	}
	return NULL;
}

/* Of what is taken instead of a newer one, that one is named. */
static void
note_passed_over(const struct restoration *restoration,
    const struct backup_group *group, const struct catalogue_entry *chosen)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct catalogue_entry *entry = group->entries[i];

		if (entry == chosen)
			return;
		if (!is_old_enough(restoration, entry))
			continue;
		watch_note(restoration->watch,
		    catalogue_entry_fits(entry)
			? _("passed over: '%s' was found damaged")
			: _("passed over: '%s' has not the size that its "
			    "manifest says"),
		    entry->path);
	}
}

static bool
exists(const struct restoration *restoration, const struct backup_group *group)
{
	for (size_t i = 0; i < restoration->names.count; i++) {
		const struct instance_ref *one = &restoration->names.items[i];

		if (strcmp(one->project, group->project) == 0 &&
		    strcmp(one->name, group->instance) == 0)
			return true;
	}
	return false;
}

/* Whether the archive may choose where it goes; proven when it is read. */
static bool
is_trusted(
    const struct restoration *restoration, const struct catalogue_entry *entry)
{
	const struct signature_demand *demand =
	    &restoration->request->each.signature;
	auto_provenance struct provenance provenance = {0};
	char origin[ORIGIN_TEXT_BYTES];
	struct error ignored = {0};

	if (origin_presumed(entry->path, entry->manifest, origin) ==
	    ORIGIN_THIS_HOST)
		return true;
	return provenance_load(entry->path, entry->size_bytes, &provenance,
		   &ignored) == 0 &&
	       provenance_demand(&provenance, entry->path, demand, &ignored) ==
		   0 &&
	       provenance.trusted;
}

static const char *
plan_for(const struct restoration *restoration,
    const struct backup_group *group, const struct catalogue_entry *entry)
{
	if (exists(restoration, group))
		return PLAN_EXISTS;
	if (entry == NULL)
		return PLAN_DAMAGED;
	return is_trusted(restoration, entry) ? PLAN_RESTORE : PLAN_UNKNOWN;
}

/* Which archive a row is about. */
static int
name_archive(
    json_t *row, const struct catalogue_entry *entry, struct error *err)
{
	const json_t *created = json_object_get(entry->manifest, "created_at");
	auto_json json_t *fields = json_pack("{s:o, s:O, s:I}", "path",
	    json_string_escaped(entry->path), "created_at", created,
	    "size_bytes", (json_int_t)entry->size_bytes);

	if (fields == NULL || json_object_update(row, fields) < 0)
		return error_set_memory(err);
	return 0;
}

static int
plan_group(struct restoration *restoration, const struct backup_group *group,
    struct error *err)
{
	const struct catalogue_entry *entry = newest(restoration, group, NULL);
	const char *plan = plan_for(restoration, group, entry);
	json_t *row = json_pack("{s:s, s:s, s:s}", "project", group->project,
	    "instance", group->instance, "plan", plan);

	if (row == NULL || json_array_append_new(restoration->plan, row) < 0)
		return error_set_memory(err);
	if (strcmp(plan, PLAN_EXISTS) != 0)
		note_passed_over(restoration, group, entry);
	return entry != NULL ? name_archive(row, entry, err) : 0;
}

static const char *
server_name(const struct backup_group *group)
{
	const char *name = json_text(
	    json_object_get(group->entries[0]->manifest, "server"), "name");

	return name != NULL ? name : "";
}

static bool
is_meant(
    const struct restoration *restoration, const struct backup_group *group)
{
	const char *server = restoration->request->server;
	const char *project = restoration->request->each.project;

	if (project != NULL && strcmp(project, group->project) != 0)
		return false;
	return server == NULL || strcmp(server_name(group), server) == 0 ||
	       text_starts_with(group->fingerprint, server);
}

static int
refuse_servers(const struct restoration *restoration, struct error *err)
{
	const char *last = "";

	error_set(err, ERROR_AMBIGUOUS,
	    _("the archives are of several servers: say which"));
	for (size_t i = 0; i < restoration->groups.count; i++) {
		const struct backup_group *group =
		    &restoration->groups.items[i];
		char beginning[13] = "";

		if (!is_meant(restoration, group) ||
		    strcmp(last, group->fingerprint) == 0)
			continue;
		last = group->fingerprint;
		(void)text_escape(beginning, sizeof(beginning), last,
		    strnlen(last, sizeof(beginning) - 1));
		if (strstr(err->hint, beginning) == NULL)
			error_hint(err, "--server %s (%s)", beginning,
			    server_name(group));
	}
	return -1;
}

/* This daemon's own, or those of the only server that there is. */
static int
choose_server(
    struct restoration *restoration, const char *own, struct error *err)
{
	bool several = false;

	for (size_t i = 0; i < restoration->groups.count; i++) {
		const struct backup_group *group =
		    &restoration->groups.items[i];

		if (!is_meant(restoration, group))
			continue;
		if (restoration->request->server == NULL &&
		    strcmp(group->fingerprint, own) == 0) {
			restoration->server = own;
			return 0;
		}
		several |= restoration->server != NULL &&
			   strcmp(restoration->server, group->fingerprint) != 0;
		restoration->server = group->fingerprint;
	}
	if (several)
		return refuse_servers(restoration, err);
	if (restoration->server == NULL)
		return error_set(
		    err, ERROR_NOT_FOUND, _("there is no archive to restore"));
	return 0;
}

/* What did not exist at the time that is asked for is no part of it. */
static bool
takes_part(
    const struct restoration *restoration, const struct backup_group *group)
{
	if (!is_meant(restoration, group) ||
	    strcmp(group->fingerprint, restoration->server) != 0)
		return false;
	for (size_t i = 0; i < group->count; i++) {
		if (is_old_enough(restoration, group->entries[i]))
			return true;
	}
	return restoration->request->at == 0;
}

static int
make_plan(struct restoration *restoration, struct error *err)
{
	for (size_t i = 0; i < restoration->groups.count; i++) {
		const struct backup_group *group =
		    &restoration->groups.items[i];

		if (takes_part(restoration, group) &&
		    plan_group(restoration, group, err) < 0)
			return -1;
	}
	if (json_array_size(restoration->plan) == 0)
		return error_set(
		    err, ERROR_NOT_FOUND, _("there is no archive to restore"));
	return 0;
}

static const struct backup_group *
group_of(const struct restoration *restoration, const json_t *row)
{
	for (size_t i = 0; i < restoration->groups.count; i++) {
		const struct backup_group *group =
		    &restoration->groups.items[i];

		if (strcmp(group->fingerprint, restoration->server) == 0 &&
		    strcmp(group->project, json_text(row, "project")) == 0 &&
		    strcmp(group->instance, json_text(row, "instance")) == 0)
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
	const struct catalogue_entry *entry = newest(restoration, group, NULL);

	while (try_archive(restoration, row, entry, failure) < 0) {
		struct error ignored = {0};

		entry = newest(restoration, group, entry);
		if (failure->code != ERROR_DAMAGED || entry == NULL ||
		    !is_trusted(restoration, entry))
			return;
		watch_note(
		    restoration->watch, _("passed over: %s"), failure->text);
		error_clear(failure);
		(void)name_archive(row, entry, &ignored);
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
	    _("%zu of %zu instances were not restored"), wanting,
	    json_array_size(restoration->plan));
	if (strangers)
		error_hint_command(
		    err, "anklume", "backup", "adopt", restoration->from, NULL);
	return -1;
}

static int
run(struct restoration *restoration, struct error *err)
{
	const struct restore_all_request *request = restoration->request;
	auto_client struct incus_client *client =
	    incus_client_open(request->each.timeout_s, err);
	const struct incus_server *server =
	    client != NULL ? incus_client_server(client, err) : NULL;

	if (server == NULL ||
	    incus_list_names(client, &restoration->names, err) < 0 ||
	    choose_server(restoration, server->fingerprint, err) < 0 ||
	    make_plan(restoration, err) < 0)
		return -1;
	if (request->planned != NULL)
		request->planned(request->data, restoration->plan);
	return carry_out(restoration, err);
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
		result = run(&restoration, err);
	instance_names_clear(&restoration.names);
	backup_groups_clear(&restoration.groups);
	*ret_plan = restoration.plan;
	return result;
}
