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
	const char *server;	     /* a fingerprint; borrowed */
	json_t *plan;
};

/* The newest that is as its manifest says, and old enough. */
static const struct catalogue_entry *
newest(const struct restoration *restoration, const struct backup_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct catalogue_entry *entry = group->entries[i];
		time_t at = restoration->request->at;
		time_t when;

		if (backup_group_time(entry, &when) &&
		    (at == 0 || when <= at) && backup_seems_intact(entry))
			return entry;
	}
	return NULL;
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

static int
plan_group(struct restoration *restoration, const struct backup_group *group,
    struct error *err)
{
	const struct catalogue_entry *entry = newest(restoration, group);
	const json_t *manifest = entry != NULL ? entry->manifest : NULL;

	if (json_array_append_new(restoration->plan,
		json_pack("{s:s, s:s, s:s, s:o*, s:O*, s:I}", "project",
		    group->project, "instance", group->instance, "plan",
		    plan_for(restoration, group, entry), "path",
		    entry != NULL ? json_string_escaped(entry->path) : NULL,
		    "created_at", json_object_get(manifest, "created_at"),
		    "size_bytes",
		    entry != NULL ? (json_int_t)entry->size_bytes : 0)) < 0)
		return error_set_memory(err);
	return 0;
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

static int
make_plan(struct restoration *restoration, struct error *err)
{
	for (size_t i = 0; i < restoration->groups.count; i++) {
		const struct backup_group *group =
		    &restoration->groups.items[i];

		if (is_meant(restoration, group) &&
		    strcmp(group->fingerprint, restoration->server) == 0 &&
		    plan_group(restoration, group, err) < 0)
			return -1;
	}
	return 0;
}

static void
restore_one(const struct restoration *restoration, json_t *row)
{
	const struct restore_all_request *request = restoration->request;
	struct restore_request one = request->each;
	struct restore_result made = {0};
	struct error failure = {0};

	one.file = json_text(row, "path");
	one.backup = NULL;
	one.name = NULL;
	one.project = NULL;
	if (restore_backup(&one, restoration->watch, &made, &failure) == 0)
		(void)json_object_set_new(
		    row, "origin", json_string(made.origin));
	restore_result_clear(&made);
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
	size_t wanting = 0;
	json_t *row;
	size_t i;

	json_array_foreach(restoration->plan, i, row)
	{
		const char *plan = json_text(row, "plan");

		if (strcmp(plan, PLAN_EXISTS) == 0)
			continue;
		if (strcmp(plan, PLAN_RESTORE) != 0) {
			wanting++;
			continue;
		}
		if (restoration->request->each.dry_run)
			continue;
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
	    .request = request, .watch = watch, .plan = json_array()};
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
