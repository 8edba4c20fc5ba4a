#include "incus/instance_state.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "incus/operation.h"

/* A running instance is given this long to end by itself; it is replaced. */
#define STOP_TIMEOUT_S 30

bool
instance_is_running(const json_t *instance)
{
	const char *status = json_text(instance, "status");

	return status != NULL && strcmp(status, "Stopped") != 0;
}

bool
instance_is_frozen(const json_t *instance)
{
	const char *status = json_text(instance, "status");

	return status != NULL && strcmp(status, "Frozen") == 0;
}

static int
change_state(struct incus_client *client, const struct instance_ref *ref,
    json_t *body, struct error *err)
{
	auto_free char *path = incus_path(
	    err, ref->project, "instances", ref->name, "state", NULL);

	return operation_run_with(client, "PUT", path, body, err);
}

int
incus_instance_start(struct incus_client *client,
    const struct instance_ref *ref, struct error *err)
{
	return change_state(client, ref,
	    json_pack("{s:s, s:i}", "action", "start", "timeout", -1), err);
}

int
incus_instance_stop(struct incus_client *client, const struct instance_ref *ref,
    struct error *err)
{
	if (change_state(client, ref,
		json_pack("{s:s, s:i, s:b}", "action", "stop", "timeout",
		    STOP_TIMEOUT_S, "force", 0),
		err) == 0)
		return 0;
	if (err->code == ERROR_INTERRUPTED || err->code == ERROR_TERMINATED)
		return -1;
	error_clear(err);
	return change_state(client, ref,
	    json_pack(
		"{s:s, s:i, s:b}", "action", "stop", "timeout", -1, "force", 1),
	    err);
}

/* Neither takes long: work that does not move is given up. */
static int
change_quickly(struct incus_client *client, const struct instance_ref *ref,
    const char *action, struct error *err)
{
	auto_free char *path = incus_path(
	    err, ref->project, "instances", ref->name, "state", NULL);
	auto_json json_t *body =
	    json_pack("{s:s, s:i}", "action", action, "timeout", -1);
	auto_operation struct operation operation = {0};

	if (path == NULL)
		return -1;
	if (body == NULL)
		return error_set_memory(err);
	if (operation_start(client, "PUT", path, body, &operation, err) < 0)
		return -1;
	return operation_wait(client, &operation, true, err);
}

int
incus_instance_freeze(struct incus_client *client,
    const struct instance_ref *ref, struct error *err)
{
	return change_quickly(client, ref, "freeze", err);
}

int
incus_instance_thaw(struct incus_client *client, const struct instance_ref *ref,
    bool *ret_was_frozen, struct error *err)
{
	auto_json json_t *instance = NULL;

	if (incus_instance_get(client, ref, &instance, err) < 0) {
		if (err->code != ERROR_NOT_FOUND)
			return -1;
		error_clear(err);
		return 0;
	}
	if (!instance_is_frozen(instance))
		return 0;
	*ret_was_frozen = true;
	return change_quickly(client, ref, "unfreeze", err);
}
