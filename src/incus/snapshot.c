#include "incus/snapshot.h"

#include "base/auto.h"
#include "base/error.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "incus/operation.h"

int
incus_snapshot_create(struct incus_client *client,
    const struct instance_ref *of, const char *name, struct error *err)
{
	auto_free char *path = incus_path(
	    err, of->project, "instances", of->name, "snapshots", NULL);
	auto_json json_t *body =
	    json_pack("{s:s, s:b}", "name", name, "stateful", 0);

	if (path == NULL)
		return -1;
	if (body == NULL)
		return error_set_memory(err);
	return operation_run(client, "POST", path, body, err);
}

int
incus_snapshot_list(struct incus_client *client, const struct instance_ref *of,
    json_t **ret_snapshots, struct error *err)
{
	auto_free char *path = incus_path(
	    err, of->project, "instances", of->name, "snapshots", NULL);
	auto_free char *detailed = NULL;

	if (path == NULL)
		return -1;
	detailed = text_format(err, "%s&recursion=1", path);
	if (detailed == NULL)
		return -1;
	return incus_get(client, detailed, ret_snapshots, err);
}

int
incus_snapshot_restore(struct incus_client *client,
    const struct instance_ref *of, const char *name, struct error *err)
{
	auto_free char *path =
	    incus_path(err, of->project, "instances", of->name, NULL);
	auto_json json_t *body =
	    json_pack("{s:s, s:b}", "restore", name, "stateful", 0);

	if (path == NULL)
		return -1;
	if (body == NULL)
		return error_set_memory(err);
	return operation_run(client, "PUT", path, body, err);
}

int
incus_snapshot_delete(struct incus_client *client,
    const struct instance_ref *of, const char *name, struct error *err)
{
	auto_free char *path = incus_path(
	    err, of->project, "instances", of->name, "snapshots", name, NULL);

	if (path == NULL)
		return -1;
	return operation_run(client, "DELETE", path, NULL, err);
}

int
incus_snapshot_exists(struct incus_client *client,
    const struct instance_ref *of, const char *name, struct error *err)
{
	auto_free char *path = incus_path(
	    err, of->project, "instances", of->name, "snapshots", name, NULL);

	if (path == NULL)
		return -1;
	return incus_exists(client, path, err);
}
