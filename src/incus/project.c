#include "incus/project.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/config_value.h"

int
incus_project_get(struct incus_client *client, const char *project,
    json_t **ret_project, struct error *err)
{
	auto_free char *path = incus_path(err, NULL, "projects", project, NULL);

	if (path == NULL)
		return -1;
	if (incus_get(client, path, ret_project, err) == 0)
		return 1;
	if (err->code != ERROR_NOT_FOUND)
		return -1;
	error_clear(err);
	return 0;
}

int
incus_project_list(
    struct incus_client *client, json_t **ret_projects, struct error *err)
{
	return incus_get(
	    client, "/1.0/projects?recursion=1", ret_projects, err);
}

int
incus_pool_list(
    struct incus_client *client, json_t **ret_pools, struct error *err)
{
	return incus_get(
	    client, "/1.0/storage-pools?recursion=1", ret_pools, err);
}

json_t *
project_in(const json_t *projects, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach(projects, i, one)
	{
		const char *its_name = json_text(one, "name");

		if (its_name != NULL && strcmp(its_name, name) == 0)
			return one;
	}
	return NULL;
}

bool
project_allows(const json_t *project_object, const char *key)
{
	const json_t *config = json_object_get(project_object, "config");
	const char *value = json_text(config, key);

	/* Unset means "block" (incus, project/permissions.go). */
	return !config_is_true(config, "restricted") ||
	       (value != NULL && strcmp(value, "allow") == 0);
}

int
project_check_allows(const json_t *project_object, const char *project,
    const char *key, struct error *err)
{
	auto_free char *pair = NULL;
	struct error ignored = {0};

	if (project_allows(project_object, key))
		return 0;

	error_set(err, ERROR_DENIED, _("the project '%s' forbids it (%s)"),
	    project, key);
	pair = text_format(&ignored, "%s=allow", key);
	return error_hint_command(
	    err, "incus", "project", "set", project, pair, NULL);
}

int
incus_project_check_allows(struct incus_client *client, const char *project,
    const char *key, struct error *err)
{
	auto_json json_t *object = NULL;

	if (incus_project_get(client, project, &object, err) < 0)
		return -1;
	return project_check_allows(object, project, key, err);
}

const char *
project_holder(
    const json_t *project_object, const char *project, const char *feature)
{
	const json_t *config = json_object_get(project_object, "config");

	return config_is_true(config, feature) ? project : "default";
}

int
incus_profile_exists(struct incus_client *client, const char *project,
    const char *name, struct error *err)
{
	auto_free char *path = incus_path(err, project, "profiles", name, NULL);

	return path != NULL ? incus_exists(client, path, err) : -1;
}

int
incus_network_exists(struct incus_client *client, const char *project,
    const char *name, struct error *err)
{
	auto_free char *path = incus_path(err, project, "networks", name, NULL);

	return path != NULL ? incus_exists(client, path, err) : -1;
}

int
incus_volume_exists(struct incus_client *client, const char *project,
    const char *pool, const char *name, struct error *err)
{
	auto_free char *path = incus_path(err, project, "storage-pools", pool,
	    "volumes", "custom", name, NULL);

	return path != NULL ? incus_exists(client, path, err) : -1;
}

int
incus_pool_exists(
    struct incus_client *client, const char *name, struct error *err)
{
	auto_free char *path =
	    incus_path(err, NULL, "storage-pools", name, NULL);

	return path != NULL ? incus_exists(client, path, err) : -1;
}

/* What follows the last slash of each address of a collection. */
static int
list_names(struct incus_client *client, const char *path, json_t **ret_names,
    struct error *err)
{
	auto_json json_t *urls = NULL;
	auto_json json_t *names = json_array();
	const json_t *url;
	size_t i;

	if (names == NULL)
		return error_set_memory(err);
	if (incus_get(client, path, &urls, err) < 0)
		return -1;
	json_array_foreach(urls, i, url)
	{
		const char *text = json_string_value(url);
		const char *slash = text != NULL ? strrchr(text, '/') : NULL;

		if (slash != NULL &&
		    json_array_append_new(names, json_string(slash + 1)) < 0)
			return error_set_memory(err);
	}
	*ret_names = steal(names);
	return 0;
}

int
incus_project_names(
    struct incus_client *client, json_t **ret_names, struct error *err)
{
	return list_names(client, "/1.0/projects", ret_names, err);
}

int
incus_pool_names(
    struct incus_client *client, json_t **ret_names, struct error *err)
{
	return list_names(client, "/1.0/storage-pools", ret_names, err);
}

int
incus_pool_free(struct incus_client *client, const char *name,
    uint64_t *ret_bytes, struct error *err)
{
	uint64_t total;

	return incus_pool_room(client, name, ret_bytes, &total, err);
}

int
incus_pool_room(struct incus_client *client, const char *name,
    uint64_t *ret_free_bytes, uint64_t *ret_total_bytes, struct error *err)
{
	auto_free char *path =
	    incus_path(err, NULL, "storage-pools", name, "resources", NULL);
	auto_json json_t *resources = NULL;
	const json_t *space;
	json_int_t total;
	json_int_t used;

	if (path == NULL || incus_get(client, path, &resources, err) < 0)
		return -1;
	space = json_object_get(resources, "space");
	total = json_number(space, "total");
	used = json_number(space, "used");
	if (total <= 0 || used < 0 || used > total)
		return 0;
	*ret_free_bytes = (uint64_t)(total - used);
	*ret_total_bytes = (uint64_t)total;
	return 1;
}

char *
incus_pool_driver(
    struct incus_client *client, const char *name, struct error *err)
{
	auto_free char *path =
	    incus_path(err, NULL, "storage-pools", name, NULL);
	auto_json json_t *pool = NULL;
	const char *driver;

	if (path == NULL || incus_get(client, path, &pool, err) < 0)
		return NULL;
	driver = json_text(pool, "driver");
	return text_format(err, "%s", driver != NULL ? driver : "");
}
