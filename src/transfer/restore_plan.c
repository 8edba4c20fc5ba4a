#include "transfer/restore_plan.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/catalogue.h"
#include "transfer/backup_state.h"
#include "transfer/origin.h"
#include "transfer/restore_all.h"
#include "transfer/watch.h"

/* Whether it had been made by the time that is asked for. */
static bool
is_old_enough(
    const struct restoration *restoration, const struct catalogue_entry *entry)
{
	time_t at = restoration->request->at;
	time_t when;

	return backup_group_time(entry, &when) && (at == 0 || when <= at);
}

const struct catalogue_entry *
restore_plan_next(const struct restoration *restoration,
    const struct backup_group *group, const struct catalogue_entry *after)
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

bool
restore_plan_trusts(
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
	return restore_plan_trusts(restoration, entry) ? PLAN_RESTORE
						       : PLAN_UNKNOWN;
}

int
restore_plan_name(
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
	const struct catalogue_entry *entry =
	    restore_plan_next(restoration, group, NULL);
	const char *plan = plan_for(restoration, group, entry);
	json_t *row = json_pack("{s:s, s:s, s:s}", "project", group->project,
	    "instance", group->instance, "plan", plan);

	if (row == NULL || json_array_append_new(restoration->plan, row) < 0)
		return error_set_memory(err);
	if (strcmp(plan, PLAN_EXISTS) != 0)
		note_passed_over(restoration, group, entry);
	return entry != NULL ? restore_plan_name(row, entry, err) : 0;
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

int
restore_plan_make(
    struct restoration *restoration, const char *own, struct error *err)
{
	if (choose_server(restoration, own, err) < 0)
		return -1;
	return make_plan(restoration, err);
}
