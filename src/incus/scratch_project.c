#include "incus/scratch_project.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "incus/operation.h"

int
scratch_project_make(struct incus_client *client, const char *project,
    const char *description, const char *pool, struct error *err)
{
	json_t *devices;
	auto_free char *path = NULL;

	/* Networks are the default project's: no device of the clone's own
	 * stays, but the daemon looks whether they are there. */
	if (incus_send(client, "POST", "/1.0/projects",
		json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s}}", "name", project,
		    "description", description, "config", "features.images",
		    "false", "features.profiles", "true",
		    "features.storage.volumes", "true", "features.networks",
		    "false"),
		err) < 0)
		return -1;
	devices = json_pack("{s:{s:s, s:s, s:s}}", "root", "type", "disk",
	    "path", "/", "pool", pool);
	path = incus_path(err, project, "profiles", "default", NULL);
	return incus_send(client, "PUT", path,
	    json_pack("{s:{}, s:o}", "config", "devices", devices), err);
}

int
scratch_project_add_profile(struct incus_client *client, const char *project,
    const char *name, const json_t *config, struct error *err)
{
	auto_free char *path = incus_path(err, project, "profiles", name, NULL);
	auto_free char *all = incus_path(err, project, "profiles", NULL);
	int exists = path != NULL ? incus_exists(client, path, err) : -1;

	if (exists < 0 || all == NULL)
		return -1;
	if (exists > 0)
		return incus_send(client, "PATCH", path,
		    json_pack("{s:O}", "config", config), err);
	return incus_send(client, "POST", all,
	    json_pack(
		"{s:s, s:O, s:{}}", "name", name, "config", config, "devices"),
	    err);
}

int
scratch_project_add_volume(struct incus_client *client, const char *project,
    const char *pool, const char *name, const char *content_type,
    struct error *err)
{
	auto_free char *path = incus_path(
	    err, project, "storage-pools", pool, "volumes", "custom", NULL);

	if (incus_send(client, "POST", path,
		json_pack(
		    "{s:s, s:s}", "name", name, "content_type", content_type),
		err) == 0)
		return 0;
	if (err->code != ERROR_EXISTS)
		return -1;
	error_clear(err);
	return 0;
}

/* What is gone meanwhile is taken away. */
static int
gone_is_fine(int result, struct error *err)
{
	if (result == 0 || err->code != ERROR_NOT_FOUND)
		return result;
	error_clear(err);
	return 0;
}

/* An instance that was protected, before its devices were stripped. */
static int
unprotect(struct incus_client *client, const char *url, struct error *err)
{
	return incus_send(client, "PATCH", url,
	    json_pack(
		"{s:{s:s}}", "config", "security.protection.delete", "false"),
	    err);
}

static int
remove_instance(struct incus_client *client, const char *url, struct error *err)
{
	size_t length = strcspn(url, "?");
	auto_free char *state =
	    text_format(err, "%.*s/state%s", (int)length, url, url + length);
	auto_json json_t *instance = NULL;
	const char *status;

	if (state == NULL || incus_get(client, url, &instance, err) < 0)
		return -1;
	status = json_text(instance, "status");
	if (status != NULL && strcmp(status, "Stopped") != 0 &&
	    operation_run_with(client, "PUT", state,
		json_pack("{s:s, s:b, s:i}", "action", "stop", "force", 1,
		    "timeout", -1),
		err) < 0)
		return -1;
	if (instance_is_protected(instance) && unprotect(client, url, err) < 0)
		return -1;
	return operation_run(client, "DELETE", url, NULL, err);
}

static int
remove_volume(struct incus_client *client, const char *url, struct error *err)
{
	return incus_delete(client, url, err);
}

static int
remove_profile(struct incus_client *client, const char *url, struct error *err)
{
	if (strstr(url, "/profiles/default?") != NULL)
		return 0;
	return incus_delete(client, url, err);
}

/* Each member of a collection, by its address in the daemon. */
static int
remove_each(struct incus_client *client, const char *collection,
    int (*remove_one)(struct incus_client *, const char *, struct error *),
    struct error *err)
{
	auto_json json_t *urls = NULL;
	const json_t *url;
	size_t i;

	if (collection == NULL || incus_get(client, collection, &urls, err) < 0)
		return -1;
	json_array_foreach(urls, i, url)
	{
		if (!json_is_string(url))
			continue;
		if (gone_is_fine(
			remove_one(client, json_string_value(url), err), err) <
		    0)
			return -1;
	}
	return 0;
}

static int
remove_volumes(
    struct incus_client *client, const char *project, struct error *err)
{
	auto_json json_t *pools = NULL;
	const json_t *one;
	size_t i;

	if (incus_get(client, "/1.0/storage-pools?recursion=1", &pools, err) <
	    0)
		return -1;
	json_array_foreach(pools, i, one)
	{
		const char *pool = json_text(one, "name");
		auto_free char *custom = NULL;

		if (pool == NULL)
			continue;
		custom = incus_path(err, project, "storage-pools", pool,
		    "volumes", "custom", NULL);
		if (remove_each(client, custom, remove_volume, err) < 0)
			return -1;
	}
	return 0;
}

int
scratch_project_remove(
    struct incus_client *client, const char *project, struct error *err)
{
	auto_free char *itself =
	    incus_path(err, NULL, "projects", project, NULL);
	auto_free char *instances = incus_path(err, project, "instances", NULL);
	auto_free char *profiles = incus_path(err, project, "profiles", NULL);
	int exists = itself != NULL ? incus_exists(client, itself, err) : -1;

	if (exists <= 0)
		return exists;
	if (remove_each(client, instances, remove_instance, err) < 0 ||
	    remove_volumes(client, project, err) < 0 ||
	    remove_each(client, profiles, remove_profile, err) < 0)
		return -1;
	return gone_is_fine(incus_delete(client, itself, err), err);
}

int
scratch_project_list(struct incus_client *client, const char *prefix,
    json_t **ret_projects, struct error *err)
{
	auto_json json_t *all = NULL;
	auto_json json_t *found = json_array();
	json_t *one;
	size_t i;

	if (found == NULL)
		return error_set_memory(err);
	if (incus_get(client, "/1.0/projects?recursion=1", &all, err) < 0)
		return -1;
	json_array_foreach(all, i, one)
	{
		const char *name = json_text(one, "name");

		if (name != NULL && text_starts_with(name, prefix) &&
		    json_array_append(found, one) < 0)
			return error_set_memory(err);
	}
	*ret_projects = steal(found);
	return 0;
}
