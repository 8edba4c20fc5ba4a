#include "transfer/restore_guard.h"

#include "base/auto.h"
#include "base/error.h"
#include "base/json.h"
#include "incus/snapshot.h"
#include "stream/backup_index.h"
#include "transfer/host_keys.h"

static int
collect_profiles(const json_t *profiles, json_t *found, struct error *err)
{
	const json_t *one;
	size_t i;

	json_array_foreach(profiles, i, one)
	{
		if (host_keys_collect(
			json_object_get(one, "definition"), found, err) < 0)
			return -1;
	}
	return 0;
}

/* The instance, each of its snapshots, for a snapshot may be restored, and the
 * profiles that are made for it. */
static int
check_all(const json_t *instance, const json_t *snapshots,
    const json_t *profiles, const struct host_keys_leave *leave,
    struct error *err)
{
	auto_json json_t *found = json_array();
	const json_t *one;
	size_t i;

	if (found == NULL)
		return error_set_memory(err);
	if (host_keys_collect(instance, found, err) < 0 ||
	    collect_profiles(profiles, found, err) < 0)
		return -1;
	json_array_foreach(snapshots, i, one)
	{
		if (host_keys_collect(one, found, err) < 0)
			return -1;
	}
	return host_keys_check(found, leave, err);
}

int
restore_guard_index(const struct backup_index *index, const json_t *profiles,
    const struct host_keys_leave *leave, struct error *err)
{
	const json_t *object =
	    backup_index_is_volume(index) ? index->volume : index->instance;

	return check_all(
	    object, index->snapshot_definitions, profiles, leave, err);
}

int
restore_guard_object(const json_t *object, const struct host_keys_leave *leave,
    struct error *err)
{
	return check_all(object, NULL, NULL, leave, err);
}

int
restore_guard_instance(struct incus_client *client,
    const struct instance_ref *instance, const struct host_keys_leave *leave,
    struct error *err)
{
	auto_json json_t *object = NULL;
	auto_json json_t *snapshots = NULL;

	if (incus_instance_get(client, instance, &object, err) < 0 ||
	    incus_snapshot_list(client, instance, &snapshots, err) < 0)
		return -1;
	return check_all(object, snapshots, NULL, leave, err);
}
