#include <stdbool.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/backup_subject.h"
#include "incus/project.h"
#include "incus/volume.h"
#include "store/catalogue.h"
#include "store/manifest.h"
#include "transfer/attached_volumes.h"
#include "transfer/restore.h"
#include "transfer/restore_run.h"
#include "transfer/watch.h"

/* The project that shows the volume to the restored instance: the one that the
 * instance goes to, but where that is yet to be made and would not hold it. */
static const char *
project_for(const struct restore *restore, const json_t *volume, bool exists)
{
	const json_t *manifest = restore->source.provenance.manifest;

	if (exists || json_equal(json_object_get(manifest, "project"),
			  json_object_get(volume, "project")) == 1)
		return restore->target.project;
	return json_text(volume, "project");
}

/* Whether it is missing: 1, 0 or -1. */
static int
is_missing(struct restore *restore, const char *project, const json_t *volume,
    struct error *err)
{
	const struct backup_subject subject = {
	    .project = project,
	    .pool = json_text(volume, "pool"),
	    .name = json_text(volume, "name"),
	};
	auto_json json_t *about = NULL;
	int found;

	if (subject.pool == NULL || subject.name == NULL)
		return 0;
	found = incus_volume_get(restore->client, &subject, &about, err);
	return found < 0 ? -1 : found == 0;
}

/* What is on record of the archive, or signed, must be of this very volume: its
 * own name is the one that it is restored under. */
static int
check_subject(const json_t *entry, const char *path, const json_t *volume,
    struct error *err)
{
	const char *subject = manifest_subject(entry);
	const struct backup_subject meant = attached_volume_subject(volume);
	auto_free char *text = backup_subject_text(&meant, err);

	if (text == NULL)
		return -1;
	if (subject != NULL && strcmp(subject, text) == 0 &&
	    json_equal(json_object_get(entry, "project"),
		json_object_get(volume, "project")) == 1)
		return 0;
	return error_set(err, ERROR_DAMAGED,
	    _("'%s' is not of the volume '%s/%s', as the instance's manifest "
	      "says"),
	    path, meant.project, text);
}

/* Who trusts the instance's archive does not therefore trust this one: 1, 0 or
 * -1. */
static int
is_trusted(const struct restore *restore, const char *path,
    const json_t *volume, struct error *err)
{
	struct catalogue_entry entry = {0};
	auto_provenance struct provenance provenance = {0};
	struct error ignored = {0};
	bool trusted = catalogue_load(path, &entry, &ignored) == 0 &&
		       provenance_load(path, entry.size_bytes, &provenance,
			   &ignored) == 0 &&
		       provenance_demand(&provenance, path,
			   &restore->request->signature, &ignored) == 0 &&
		       provenance_entry(&provenance) != NULL;
	int result = trusted;

	if (trusted &&
	    check_subject(provenance_entry(&provenance), path, volume, err) < 0)
		result = -1;
	catalogue_entry_clear(&entry);
	return result;
}

/* Devices of its profiles are not looked for before: the instance may come
 * without. */
static void
note_lack(const struct restore *restore, const char *project,
    const json_t *volume, const char *path)
{
	const char *archive = json_text(volume, "archive");
	const char *pool = json_text(volume, "pool");
	const char *name = json_text(volume, "name");

	if (path != NULL)
		watch_note(restore->watch,
		    _("the volume '%s/%s/%s' is missing, and not restored: "
		      "'%s' is of unknown origin, or not whole"),
		    project, pool, name, path);
	else
		watch_note(restore->watch,
		    _("the volume '%s/%s/%s' is missing, and not restored: "
		      "its archive '%s' is not there"),
		    project, pool, name, archive != NULL ? archive : "");
}

static int
plan_one(struct restore *restore, const json_t *volume, bool exists,
    struct error *err)
{
	const char *project = project_for(restore, volume, exists);
	int missing =
	    project != NULL ? is_missing(restore, project, volume, err) : 0;
	auto_free char *path = NULL;
	int trusted;

	if (missing <= 0)
		return missing;
	path = attached_volume_archive(volume, restore->file, err);
	if (error_is_set(err))
		return -1;
	trusted = path != NULL ? is_trusted(restore, path, volume, err) : 0;
	if (trusted < 0)
		return -1;
	if (trusted == 0) {
		note_lack(restore, project, volume, path);
		return 0;
	}
	if (json_array_append_new(restore->volumes,
		json_pack("{s:s, s:O, s:O, s:O, s:s}", "project", project,
		    "pool", json_object_get(volume, "pool"), "name",
		    json_object_get(volume, "name"), "sha256",
		    json_object_get(volume, "sha256"), "path", path)) < 0)
		return error_set_memory(err);
	return 0;
}

static void
find_out_for_project(struct restore *restore, bool exists)
{
	const json_t *volume;
	size_t i;

	json_array_foreach(restore->volumes, i, volume)
	{
		if (!exists && strcmp(json_text(volume, "project"),
				   restore->target.project) == 0)
			restore->missing.own_volumes = true;
	}
}

int
restore_volumes_plan(struct restore *restore, struct error *err)
{
	const json_t *manifest = restore->source.provenance.manifest;
	auto_json json_t *project = NULL;
	const json_t *volume;
	size_t i;
	int exists;

	/* A manifest that anybody may have written names nothing. */
	if (provenance_entry(&restore->source.provenance) == NULL ||
	    strcmp(restore->file, "-") == 0)
		return 0;
	restore->volumes = json_array();
	if (restore->volumes == NULL)
		return error_set_memory(err);
	exists = incus_project_get(
	    restore->client, restore->target.project, &project, err);
	if (exists < 0)
		return -1;
	json_array_foreach(json_object_get(manifest, "volumes"), i, volume)
	{
		if (json_text(volume, "sha256") != NULL &&
		    plan_one(restore, volume, exists > 0, err) < 0)
			return -1;
	}
	find_out_for_project(restore, exists > 0);
	return 0;
}

static int
restore_one(struct restore *restore, const json_t *volume, struct error *err)
{
	/* What would be made for it is told with the instance. */
	static const struct watch nobody = {0};
	struct restore_request one = *restore->request;
	struct restore_result made = {0};
	int result;

	one.file = json_text(volume, "path");
	one.backup = NULL;
	one.name = NULL;
	one.project = json_text(volume, "project");
	one.storage = NULL;
	one.start = false;
	one.sha256 = json_text(volume, "sha256");
	result = restore_backup(
	    &one, one.dry_run ? &nobody : restore->watch, &made, err);
	if (result == 0)
		watch_note(restore->watch,
		    one.dry_run ? _("would restore the volume '%s/%s/%s'")
				: _("restored the volume '%s/%s/%s'"),
		    made.project, made.pool, made.name);
	restore_result_clear(&made);
	return result;
}

int
restore_volumes(struct restore *restore, struct error *err)
{
	const json_t *volume;
	size_t i;

	json_array_foreach(restore->volumes, i, volume)
	{
		if (restore_one(restore, volume, err) < 0)
			return -1;
	}
	return 0;
}
