#include "transfer/create_missing.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "incus/client.h"
#include "stream/backup_index.h"
#include "transfer/watch.h"

void
create_missing_clear(struct create_missing *missing)
{
	free(missing->project);
	json_decref(missing->profiles);
	*missing = (struct create_missing){0};
}

int
create_missing_project(
    struct create_missing *missing, const char *project, struct error *err)
{
	missing->project = text_copy(project, strlen(project), err);
	return missing->project != NULL ? 0 : -1;
}

static json_t *
find_definition(const struct backup_index *index, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(index->profile_definitions, i, one)
	{
		const char *own = json_text(one, "name");

		if (own != NULL && strcmp(own, name) == 0)
			return (json_t *)(uintptr_t)one;
	}
	return NULL;
}

bool
create_missing_describes(const struct backup_index *index, const char *name)
{
	return find_definition(index, name) != NULL;
}

int
create_missing_profile(struct create_missing *missing, const char *holder,
    const struct backup_index *index, const char *name, struct error *err)
{
	if (missing->profiles == NULL)
		missing->profiles = json_array();
	if (json_array_append_new(missing->profiles,
		json_pack("{s:s, s:s, s:O}", "project", holder, "name", name,
		    "definition", find_definition(index, name))) < 0)
		return error_set_memory(err);
	return 0;
}

void
create_missing_note(
    const struct create_missing *missing, const struct watch *watch)
{
	const json_t *one;
	size_t i;

	if (missing->project != NULL)
		watch_note(watch, _("would create the project '%s'"),
		    missing->project);
	json_array_foreach(missing->profiles, i, one)
	{
		watch_note(watch, _("would create the profile '%s' in '%s'"),
		    json_text(one, "name"), json_text(one, "project"));
	}
}

int
create_missing_make_project(struct create_missing *missing,
    struct incus_client *client, const struct watch *watch, struct error *err)
{
	auto_free char *path = NULL;

	if (missing->project == NULL)
		return 0;
	path = incus_path(err, NULL, "projects", NULL);
	if (incus_send(client, "POST", path,
		json_pack("{s:s, s:{s:s, s:s, s:s}}", "name", missing->project,
		    "config", "features.images", "false", "features.profiles",
		    "false", "features.storage.volumes",
		    missing->own_volumes ? "true" : "false"),
		err) < 0)
		return error_prefix(
		    err, _("cannot create the project '%s'"), missing->project);
	missing->made_project = true;
	watch_note(watch, _("created the project '%s'"), missing->project);
	return 0;
}

static int
make_profile(struct incus_client *client, const json_t *one,
    const struct watch *watch, struct error *err)
{
	const char *name = json_text(one, "name");
	const char *project = json_text(one, "project");
	const json_t *definition = json_object_get(one, "definition");
	auto_free char *path = incus_path(err, project, "profiles", NULL);

	if (incus_send(client, "POST", path,
		json_pack("{s:s, s:O*, s:O*, s:O*}", "name", name,
		    "description", json_object_get(definition, "description"),
		    "config", json_object_get(definition, "config"), "devices",
		    json_object_get(definition, "devices")),
		err) < 0)
		return error_prefix(err,
		    _("cannot create the profile '%s' in '%s'"), name, project);
	watch_note(watch, _("created the profile '%s' in '%s'"), name, project);
	return 0;
}

int
create_missing_make_profiles(struct create_missing *missing,
    struct incus_client *client, const struct watch *watch, struct error *err)
{
	const json_t *one;
	size_t i;

	json_array_foreach(missing->profiles, i, one)
	{
		if (make_profile(client, one, watch, err) < 0)
			return -1;
		missing->made_profiles = i + 1;
	}
	return 0;
}

static void
remove_profile(
    struct incus_client *client, const json_t *one, struct error *err)
{
	struct error failure = {0};
	const char *name = json_text(one, "name");
	const char *project = json_text(one, "project");
	auto_free char *path =
	    incus_path(&failure, project, "profiles", name, NULL);

	if (path == NULL || incus_delete(client, path, &failure) < 0)
		error_hint_command(err, "incus", "profile", "delete", name,
		    "--project", project, NULL);
}

void
create_missing_undo(struct create_missing *missing, struct incus_client *client,
    struct error *err)
{
	struct error failure = {0};
	auto_free char *path = NULL;

	interrupt_shield_up();
	while (missing->made_profiles > 0)
		remove_profile(client,
		    json_array_get(missing->profiles, --missing->made_profiles),
		    err);
	if (missing->made_project) {
		path = incus_path(
		    &failure, NULL, "projects", missing->project, NULL);
		if (path == NULL || incus_delete(client, path, &failure) < 0)
			error_hint_command(err, "incus", "project", "delete",
			    missing->project, NULL);
		missing->made_project = false;
	}
	interrupt_shield_down();
}
