#include "transfer/snapshot.h"

#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "incus/project.h"
#include "incus/snapshot.h"
#include "transfer/location.h"

/* Find the instance; both are the caller's, also on failure. */
static int
find(const struct snapshot_request *request, struct incus_client **ret_client,
    struct instance_ref *ret_instance, struct error *err)
{
	auto_instance_word struct instance_word word = {0};
	auto_instance_names struct instance_names names = {0};

	if (instance_word_parse(request->instance, &word, err) < 0)
		return -1;
	*ret_client = incus_client_open(request->timeout_s, err);
	if (*ret_client == NULL ||
	    incus_list_names(*ret_client, &names, err) < 0)
		return -1;
	return instance_names_find(&names, word.project, word.name,
	    request->project, ret_instance, err);
}

static int
done(const struct instance_ref *instance, const char *snapshot,
    json_t **ret_done, struct error *err)
{
	*ret_done = json_pack("{s:s, s:s, s:s}", "project", instance->project,
	    "instance", instance->name, "snapshot", snapshot);
	return *ret_done != NULL ? 0 : error_set_memory(err);
}

/* A snapshot that must be there. */
static int
need(struct incus_client *client, const struct instance_ref *instance,
    const char *snapshot, struct error *err)
{
	int exists;

	if (snapshot == NULL) {
		error_set(err, ERROR_USAGE, _("which snapshot?"));
		return error_hint(err, "anklume snapshot list %s/%s",
		    instance->project, instance->name);
	}
	exists = incus_snapshot_exists(client, instance, snapshot, err);
	if (exists != 0)
		return exists < 0 ? -1 : 0;
	error_set(err, ERROR_NOT_FOUND, _("'%s/%s' has no snapshot '%s'"),
	    instance->project, instance->name, snapshot);
	return error_hint(err, "anklume snapshot list %s/%s", instance->project,
	    instance->name);
}

int
snapshot_create(const struct snapshot_request *request, json_t **ret_done,
    struct error *err)
{
	auto_client struct incus_client *client = NULL;
	auto_instance_ref struct instance_ref instance = {0};
	char stamp[CLOCK_TEXT_BYTES];
	auto_free char *made =
	    text_format(err, "snap-%s", clock_local_stamp(stamp, time(NULL)));
	const char *name = request->name != NULL ? request->name : made;
	int exists;

	if (made == NULL || find(request, &client, &instance, err) < 0)
		return -1;
	if (*name == '\0' || strpbrk(name, "/ ") != NULL)
		return error_set(
		    err, ERROR_USAGE, _("'%s' cannot name a snapshot"), name);
	exists = incus_snapshot_exists(client, &instance, name, err);
	if (exists < 0)
		return -1;
	if (exists > 0)
		return error_set(err, ERROR_EXISTS,
		    _("'%s/%s' has a snapshot '%s' already"), instance.project,
		    instance.name, name);
	if (incus_project_check_allows(
		client, instance.project, "restricted.snapshots", err) < 0)
		return error_prefix(err, _("cannot make a snapshot of '%s/%s'"),
		    instance.project, instance.name);
	if (!request->dry_run &&
	    incus_snapshot_create(client, &instance, name, err) < 0)
		return error_prefix(err, _("cannot make a snapshot of '%s/%s'"),
		    instance.project, instance.name);
	return done(&instance, name, ret_done, err);
}

int
snapshot_restore(const struct snapshot_request *request, json_t **ret_done,
    struct error *err)
{
	auto_client struct incus_client *client = NULL;
	auto_instance_ref struct instance_ref instance = {0};

	if (find(request, &client, &instance, err) < 0 ||
	    need(client, &instance, request->name, err) < 0)
		return -1;
	if (!request->dry_run &&
	    incus_snapshot_restore(client, &instance, request->name, err) < 0)
		return error_prefix(err, _("cannot restore '%s/%s' to '%s'"),
		    instance.project, instance.name, request->name);
	return done(&instance, request->name, ret_done, err);
}

int
snapshot_delete(const struct snapshot_request *request, json_t **ret_done,
    struct error *err)
{
	auto_client struct incus_client *client = NULL;
	auto_instance_ref struct instance_ref instance = {0};

	if (find(request, &client, &instance, err) < 0 ||
	    need(client, &instance, request->name, err) < 0)
		return -1;
	if (!request->dry_run &&
	    incus_snapshot_delete(client, &instance, request->name, err) < 0)
		return error_prefix(err, _("cannot delete '%s' of '%s/%s'"),
		    request->name, instance.project, instance.name);
	return done(&instance, request->name, ret_done, err);
}

/* What is shown of one api.InstanceSnapshot. */
static json_t *
summary_of(const json_t *snapshot)
{
	const char *created = json_text(snapshot, "created_at");
	const char *expires = json_text(snapshot, "expires_at");
	const char *name = json_text(snapshot, "name");

	/* The zero time of Go is "never". */
	if (expires != NULL && text_starts_with(expires, "0001-01-01"))
		expires = NULL;
	return json_pack("{s:s, s:s, s:s?, s:b}", "name",
	    name != NULL ? name : "", "created_at",
	    created != NULL ? created : "", "expires_at", expires, "stateful",
	    json_flag(snapshot, "stateful"));
}

int
snapshot_list(const struct snapshot_request *request, json_t **ret_list,
    struct error *err)
{
	auto_client struct incus_client *client = NULL;
	auto_instance_ref struct instance_ref instance = {0};
	auto_json json_t *found = NULL;
	auto_json json_t *shown = json_array();
	const json_t *one;
	size_t i;

	if (find(request, &client, &instance, err) < 0 ||
	    incus_snapshot_list(client, &instance, &found, err) < 0)
		return -1;
	json_array_foreach(found, i, one)
	{
		if (json_array_append_new(shown, summary_of(one)) < 0)
			return error_set_memory(err);
	}
	*ret_list = json_pack("{s:s, s:s, s:O}", "project", instance.project,
	    "instance", instance.name, "snapshots", shown);
	return *ret_list != NULL ? 0 : error_set_memory(err);
}
