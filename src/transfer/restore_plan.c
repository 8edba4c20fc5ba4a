#include "transfer/restore_plan.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/project.h"
#include "store/catalogue.h"
#include "store/subject.h"
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

static int
volume_exists(const struct restoration *restoration,
    const struct backup_group *group, struct error *err)
{
	auto_free char *pool = subject_pool(group->subject, err);

	return pool != NULL
		   ? incus_volume_exists(restoration->client, group->project,
			 pool, subject_volume(group->subject), err)
		   : -1;
}

/* 1, 0 or -1. */
static int
exists(const struct restoration *restoration, const struct backup_group *group,
    struct error *err)
{
	if (subject_is_volume(group->subject))
		return volume_exists(restoration, group, err);
	for (size_t i = 0; i < restoration->names.count; i++) {
		const struct instance_ref *one = &restoration->names.items[i];

		if (strcmp(one->project, group->project) == 0 &&
		    strcmp(one->name, group->subject) == 0)
			return 1;
	}
	return 0;
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

/* NULL with err set. */
static const char *
plan_for(const struct restoration *restoration,
    const struct backup_group *group, const struct catalogue_entry *entry,
    struct error *err)
{
	int found = exists(restoration, group, err);

	if (found != 0)
		return found > 0 ? PLAN_EXISTS : NULL;
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

/* Put a row for a group into `rows`; *ret_entry is the archive, or NULL. */
static int
plan_group(const struct restoration *restoration,
    const struct backup_group *group, json_t *rows,
    const struct catalogue_entry **ret_entry, struct error *err)
{
	const struct catalogue_entry *entry =
	    restore_plan_next(restoration, group, NULL);
	const char *plan = plan_for(restoration, group, entry, err);
	json_t *row;

	if (plan == NULL)
		return -1;
	row = json_pack("{s:s, s:s, s:s}", "project", group->project,
	    subject_key(group->subject), group->subject, "plan", plan);
	if (row == NULL || json_array_append_new(rows, row) < 0)
		return error_set_memory(err);
	if (strcmp(plan, PLAN_EXISTS) != 0)
		note_passed_over(restoration, group, entry);
	*ret_entry = entry;
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

static bool
names_volume(const json_t *volume, const struct backup_group *group)
{
	const char *project = json_text(volume, "project");
	const char *pool = json_text(volume, "pool");
	const char *name = json_text(volume, "name");
	size_t length = pool != NULL ? strlen(pool) : 0;

	return project != NULL && pool != NULL && name != NULL &&
	       strcmp(project, group->project) == 0 &&
	       strncmp(pool, group->subject, length) == 0 &&
	       group->subject[length] == '/' &&
	       strcmp(name, group->subject + length + 1) == 0;
}

static bool
is_attached(const json_t *attached, const struct backup_group *volume)
{
	const json_t *one;
	size_t i;

	json_array_foreach(attached, i, one)
	{
		if (names_volume(one, volume))
			return true;
	}
	return false;
}

/* What did not exist at the time that is asked for is no part of it. */
static bool
takes_part(
    const struct restoration *restoration, const struct backup_group *group)
{
	if (strcmp(group->fingerprint, restoration->server) != 0)
		return false;
	for (size_t i = 0; i < group->count; i++) {
		if (is_old_enough(restoration, group->entries[i]))
			return true;
	}
	return restoration->request->at == 0;
}

/* Rows for instances; into `attached` go the volumes that their archives name.
 */
static int
plan_instances(const struct restoration *restoration, json_t *rows,
    json_t *attached, struct error *err)
{
	for (size_t i = 0; i < restoration->groups.count; i++) {
		const struct backup_group *group =
		    &restoration->groups.items[i];
		const struct catalogue_entry *entry = NULL;
		json_t *volumes;

		if (subject_is_volume(group->subject) ||
		    !is_meant(restoration, group) ||
		    !takes_part(restoration, group))
			continue;
		if (plan_group(restoration, group, rows, &entry, err) < 0)
			return -1;
		volumes = entry != NULL
			      ? json_object_get(entry->manifest, "volumes")
			      : NULL;
		if (json_is_array(volumes) &&
		    json_array_extend(attached, volumes) < 0)
			return error_set_memory(err);
	}
	return 0;
}

/* Projects share volumes, those of "default": what is attached to an instance
 * that is meant is meant, wherever it is. */
static int
plan_volumes(const struct restoration *restoration, json_t *rows,
    const json_t *attached, struct error *err)
{
	for (size_t i = 0; i < restoration->groups.count; i++) {
		const struct backup_group *group =
		    &restoration->groups.items[i];
		const struct catalogue_entry *ignored;

		if (subject_is_volume(group->subject) &&
		    (is_meant(restoration, group) ||
			is_attached(attached, group)) &&
		    takes_part(restoration, group) &&
		    plan_group(restoration, group, rows, &ignored, err) < 0)
			return -1;
	}
	return 0;
}

static int
make_plan(struct restoration *restoration, struct error *err)
{
	auto_json json_t *instances = json_array();
	auto_json json_t *attached = json_array();

	if (plan_instances(restoration, instances, attached, err) < 0 ||
	    plan_volumes(restoration, restoration->plan, attached, err) < 0)
		return -1;
	if (json_array_extend(restoration->plan, instances) < 0)
		return error_set_memory(err);
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
