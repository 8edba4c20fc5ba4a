#include "incus/volume.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/backup_subject.h"
#include "incus/client.h"
#include "incus/project.h"

int
incus_volume_get(struct incus_client *client,
    const struct backup_subject *volume, json_t **ret_volume, struct error *err)
{
	auto_free char *path =
	    backup_subject_path(volume, NULL, NULL, NULL, err);

	if (path == NULL)
		return -1;
	if (incus_get(client, path, ret_volume, err) == 0)
		return 1;
	if (err->code != ERROR_NOT_FOUND)
		return -1;
	error_clear(err);
	return 0;
}

static int
list_pool(struct incus_client *client, const char *pool, json_t *volumes,
    struct error *err)
{
	auto_free char *path = incus_path(
	    err, NULL, "storage-pools", pool, "volumes", "custom", NULL);
	auto_free char *url =
	    path != NULL
		? text_format(err, "%s?all-projects=true&recursion=1", path)
		: NULL;
	auto_json json_t *found = NULL;
	json_t *one;
	size_t i;

	if (url == NULL || incus_get(client, url, &found, err) < 0)
		return -1;
	json_array_foreach(found, i, one)
	{
		if (json_object_set_new(one, "pool", json_string(pool)) < 0 ||
		    json_array_append(volumes, one) < 0)
			return error_set_memory(err);
	}
	return 0;
}

int
incus_volume_list(
    struct incus_client *client, json_t **ret_volumes, struct error *err)
{
	auto_json json_t *pools = NULL;
	auto_json json_t *volumes = json_array();
	const json_t *pool;
	size_t i;

	if (volumes == NULL)
		return error_set_memory(err);
	if (incus_pool_list(client, &pools, err) < 0)
		return -1;
	json_array_foreach(pools, i, pool)
	{
		const char *name = json_text(pool, "name");

		if (name != NULL && list_pool(client, name, volumes, err) < 0)
			return -1;
	}
	*ret_volumes = steal(volumes);
	return 0;
}

/* Of an instance itself: profiles are listed besides. */
static bool
is_instance_url(const char *url)
{
	static const char start[] = "/1.0/instances/";

	return url != NULL && text_starts_with(url, start) &&
	       strcspn(url + sizeof(start) - 1, "/") ==
		   strlen(url + sizeof(start) - 1);
}

int
incus_volume_users(
    const json_t *volume, struct instance_names *ret_users, struct error *err)
{
	const json_t *used_by = json_object_get(volume, "used_by");
	struct instance_names users = {
	    .items = calloc(
		json_array_size(used_by) + 1, sizeof(struct instance_ref))};
	const json_t *one;
	size_t i;

	if (users.items == NULL)
		return error_set_memory(err);
	json_array_foreach(used_by, i, one)
	{
		const char *url = json_string_value(one);

		if (!is_instance_url(url))
			continue;
		if (instance_ref_parse(url, &users.items[users.count], err) <
		    0) {
			instance_names_clear(&users);
			return -1;
		}
		users.count++;
	}
	*ret_users = users;
	return 0;
}

void
incus_volume_discard(struct incus_client *client,
    const struct backup_subject *volume, struct error *err)
{
	struct error why = {0};
	auto_free char *path =
	    backup_subject_path(volume, NULL, NULL, NULL, &why);

	if (path != NULL && incus_delete(client, path, &why) == 0)
		return;
	if (why.code != ERROR_NOT_FOUND)
		error_hint(err,
		    _("the volume '%s/%s/%s' was made and could not be deleted "
		      "again: %s"),
		    volume->project, volume->pool, volume->name, why.text);
}
