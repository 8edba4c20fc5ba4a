#include "transfer/snapshot.h"

#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/instance.h"
#include "incus/project.h"
#include "incus/snapshot.h"
#include "transfer/self.h"
#include "transfer/snapshot_run.h"
#include "transfer/watch.h"

static int
create_one(struct snapshot_run *run, const struct instance_ref *of,
    json_t *result, struct error *err)
{
	int exists = incus_snapshot_exists(run->client, of, run->name, err);

	(void)result;
	if (exists < 0)
		return -1;
	if (exists > 0)
		return error_set(err, ERROR_EXISTS,
		    _("'%s/%s' has a snapshot '%s' already"), of->project,
		    of->name, run->name);
	if (incus_project_check_allows(
		run->client, of->project, "restricted.snapshots", err) < 0)
		return error_prefix(err, _("cannot make a snapshot of '%s/%s'"),
		    of->project, of->name);
	if (run->request->dry_run) {
		watch_note(run->watch,
		    _("would make the snapshot '%s' of '%s/%s'"), run->name,
		    of->project, of->name);
		return 0;
	}
	if (incus_snapshot_create(run->client, of, run->name, err) < 0)
		return error_prefix(err, _("cannot make a snapshot of '%s/%s'"),
		    of->project, of->name);
	return 0;
}

/* A snapshot that must be there. */
static int
need(const struct snapshot_run *run, const struct instance_ref *of,
    struct error *err)
{
	int exists = incus_snapshot_exists(run->client, of, run->name, err);

	if (exists != 0)
		return exists < 0 ? -1 : 0;
	error_set(err, ERROR_NOT_FOUND, _("'%s/%s' has no snapshot '%s'"),
	    of->project, of->name, run->name);
	return error_hint(
	    err, "anklume snapshot list %s/%s", of->project, of->name);
}

static int
restore_one(struct snapshot_run *run, const struct instance_ref *of,
    json_t *result, struct error *err)
{
	(void)result;
	if (need(run, of, err) < 0)
		return -1;
	/* The daemon stops a running instance for it. */
	if (self_is(run->client, of))
		return error_set(err, ERROR_EXISTS,
		    _("anklume runs in '%s/%s': it does not replace itself"),
		    of->project, of->name);
	if (run->request->dry_run) {
		watch_note(run->watch, _("would restore '%s/%s' to '%s'"),
		    of->project, of->name, run->name);
		return 0;
	}
	if (incus_snapshot_restore(run->client, of, run->name, err) < 0)
		return error_prefix(err, _("cannot restore '%s/%s' to '%s'"),
		    of->project, of->name, run->name);
	return 0;
}

static int
delete_one(struct snapshot_run *run, const struct instance_ref *of,
    json_t *result, struct error *err)
{
	(void)result;
	if (need(run, of, err) < 0)
		return -1;
	if (run->request->dry_run) {
		watch_note(run->watch,
		    _("would delete the snapshot '%s' of '%s/%s'"), run->name,
		    of->project, of->name);
		return 0;
	}
	if (incus_snapshot_delete(run->client, of, run->name, err) < 0)
		return error_prefix(err, _("cannot delete '%s' of '%s/%s'"),
		    run->name, of->project, of->name);
	return 0;
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

static int
list_one(struct snapshot_run *run, const struct instance_ref *of,
    json_t *result, struct error *err)
{
	auto_json json_t *found = NULL;
	auto_json json_t *shown = json_array();
	const json_t *one;
	size_t i;

	if (incus_snapshot_list(run->client, of, &found, err) < 0)
		return -1;
	json_array_foreach(found, i, one)
	{
		if (json_array_append_new(shown, summary_of(one)) < 0)
			return error_set_memory(err);
	}
	if (json_object_set(result, "snapshots", shown) < 0)
		return error_set_memory(err);
	return 0;
}

int
snapshot_create(const struct snapshot_request *request,
    const struct watch *watch, json_t **ret_results, struct error *err)
{
	static const struct snapshot_verb verb = {SECOND_MAY_BE_NAME, NULL,
	    incus_snapshot_check_new_name, create_one};
	char stamp[CLOCK_TEXT_BYTES];
	auto_free char *made =
	    text_format(err, "snap-%s", clock_local_stamp(stamp, time(NULL)));

	if (made == NULL)
		return -1;
	return snapshot_run_verb(request, watch, &verb, made, ret_results, err);
}

int
snapshot_restore(const struct snapshot_request *request,
    const struct watch *watch, json_t **ret_results, struct error *err)
{
	static const struct snapshot_verb verb = {SECOND_IS_NAME,
	    "snapshot restore", incus_snapshot_check_name, restore_one};

	return snapshot_run_verb(request, watch, &verb, NULL, ret_results, err);
}

int
snapshot_delete(const struct snapshot_request *request,
    const struct watch *watch, json_t **ret_results, struct error *err)
{
	static const struct snapshot_verb verb = {SECOND_IS_NAME,
	    "snapshot delete", incus_snapshot_check_name, delete_one};

	return snapshot_run_verb(request, watch, &verb, NULL, ret_results, err);
}

int
snapshot_list(const struct snapshot_request *request, const struct watch *watch,
    json_t **ret_results, struct error *err)
{
	static const struct snapshot_verb verb = {
	    SECOND_IS_INSTANCE, NULL, incus_snapshot_check_name, list_one};
	struct snapshot_request looking = *request;

	/* Nothing is written, and nothing left out. */
	looking.dry_run = false;
	return snapshot_run_verb(
	    &looking, watch, &verb, NULL, ret_results, err);
}
