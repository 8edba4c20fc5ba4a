#include "incus/snapshot.h"

#include <stdbool.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "incus/operation.h"

/* As Incus 6.x has it (shared/validate, IsAPIName). */
#define SNAPSHOT_NAME_MAX_BYTES 64

static const char alphanumeric[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789";

static bool
is_new_name(const char *name)
{
	size_t length = strlen(name);

	/* strchr() finds the NUL, too. */
	if (length == 0 || length > SNAPSHOT_NAME_MAX_BYTES ||
	    strchr(alphanumeric, name[0]) == NULL ||
	    strchr(alphanumeric, name[length - 1]) == NULL)
		return false;
	for (; *name != '\0'; name++) {
		if (strchr(alphanumeric, *name) == NULL &&
		    strchr("._-", *name) == NULL)
			return false;
	}
	return true;
}

int
incus_snapshot_check_new_name(const char *name, struct error *err)
{
	if (is_new_name(name))
		return 0;
	error_set(err, ERROR_USAGE, _("'%s' cannot name a snapshot"), name);
	return error_hint(err,
	    _("a name has letters, digits and - . _ between its ends, %d bytes "
	      "at most"),
	    SNAPSHOT_NAME_MAX_BYTES);
}

int
incus_snapshot_check_name(const char *name, struct error *err)
{
	/* JSON holds UTF-8 only. */
	auto_json json_t *sent = json_string(name);

	if (sent != NULL && *name != '\0' && strcmp(name, ".") != 0 &&
	    strcmp(name, "..") != 0 && strchr(name, '/') == NULL)
		return 0;
	return error_set(
	    err, ERROR_USAGE, _("'%s' cannot name a snapshot"), name);
}

int
incus_snapshot_create(struct incus_client *client,
    const struct instance_ref *of, const char *name, struct error *err)
{
	auto_free char *path = incus_path(
	    err, of->project, "instances", of->name, "snapshots", NULL);

	return operation_run_with(client, "POST", path,
	    json_pack("{s:s, s:b}", "name", name, "stateful", 0), err);
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

	return operation_run_with(client, "PUT", path,
	    json_pack("{s:s, s:b}", "restore", name, "stateful", 0), err);
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
incus_snapshot_set_end(struct incus_client *client,
    const struct instance_ref *of, const char *name, const char *expires_at,
    struct error *err)
{
	auto_free char *path = incus_path(
	    err, of->project, "instances", of->name, "snapshots", name, NULL);

	return operation_run_with(client, "PUT", path,
	    json_pack("{s:s}", "expires_at", expires_at), err);
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
