#include "transfer/drill.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "base/wait.h"
#include "incus/backup.h"
#include "incus/client.h"
#include "incus/project.h"
#include "incus/scratch_project.h"
#include "store/host_lock.h"
#include "store/proof.h"
#include "stream/gate.h"
#include "stream/stream.h"
#include "transfer/backup_source.h"
#include "transfer/drill_clone.h"
#include "transfer/drill_sweep.h"
#include "transfer/verbose.h"
#include "transfer/watch.h"

/* No two drills meet, on any host. */
#define RANDOM_DIGITS 12

/* The clone's name; nothing else is in its project. */
#define CLONE_NAME "anklume-drill"

/* How long taking a clone away is tried, and how often. */
#define REMOVE_MS (30 * 1000)
#define REMOVE_AGAIN_MS 500

/* One run. */
struct run {
	const struct drill_request *request;
	const struct watch *watch;
	struct incus_client *client;
};

/* One archive's drill. */
struct drill {
	const struct run *run;
	struct backup_source source;
	struct drill_clone clone;
	int lock;
	int64_t begun_ms;
	int64_t healthy_ms;
};

static int
check_whole(void *data, struct error *err)
{
	const struct drill *drill = data;

	return backup_source_check(&drill->source, false, err);
}

static int
choose_pool(struct drill *drill, struct error *err)
{
	const char *asked = drill->run->request->storage;
	const char *pool = asked != NULL ? asked : drill->source.index.pool;
	int exists = incus_pool_exists(drill->run->client, pool, err);

	drill->clone.pool = pool;
	if (exists != 0)
		return exists < 0 ? -1 : 0;
	error_set(err, ERROR_NOT_FOUND, _("there is no pool '%s'"), pool);
	return error_hint(err, _("--storage POOL chooses one that is there: "
				 "incus storage list"));
}

static int
choose_names(struct drill *drill, struct error *err)
{
	struct instance_ref *instance = &drill->clone.instance;
	char random[RANDOM_DIGITS + 1];

	if (text_random_hex(random, RANDOM_DIGITS, err) < 0)
		return -1;
	instance->project =
	    text_format(err, "%s%s", INSTANCE_DRILL_PREFIX, random);
	instance->name = text_copy(CLONE_NAME, strlen(CLONE_NAME), err);
	return instance->project != NULL && instance->name != NULL ? 0 : -1;
}

static int
import(struct drill *drill, struct stream *data, struct error *err)
{
	const struct import_request request = {
	    .project = drill->clone.instance.project,
	    .name = drill->clone.instance.name,
	    .pool = drill->clone.pool,
	};
	auto_stream struct stream *whole =
	    gate_new(data, check_whole, drill, err);

	if (whole == NULL)
		return -1;
	return incus_backup_import(drill->run->client, &request, whole, err);
}

/* From the archive to a clone that runs. */
static int
rehearse(struct drill *drill, struct stream *data, struct error *err)
{
	auto_stream struct stream *owned = data;

	if (drill_clone_prepare(&drill->clone, &drill->source.index, err) < 0 ||
	    import(drill, steal(owned), err) < 0 ||
	    drill_clone_strip(&drill->clone, err) < 0 ||
	    drill_clone_prove(&drill->clone, err) < 0)
		return -1;
	drill->healthy_ms = clock_now_ms();
	return 0;
}

/* A daemon that still tidies up after a start that failed says "busy". */
static int
remove_in_time(struct drill *drill, struct error *err)
{
	const char *project = drill->clone.instance.project;
	int64_t end_ms = clock_now_ms() + REMOVE_MS;

	while (scratch_project_remove(drill->run->client, project, err) < 0) {
		struct error late = {0};

		if (err->code == ERROR_UNREACHABLE ||
		    clock_left_ms(end_ms) == 0 ||
		    wait_ready(-1, 0, REMOVE_AGAIN_MS, &late) < 0)
			return -1;
		error_clear(err);
	}
	return 0;
}

/* Whatever has happened, and although somebody may be waiting for the end. */
static int
take_away(struct drill *drill, struct error *err)
{
	const char *project = drill->clone.instance.project;
	struct error failure = {0};
	int result;

	interrupt_shield_up();
	result = remove_in_time(drill, &failure);
	interrupt_shield_down();
	if (result == 0) {
		host_lock_drop(project, drill->lock);
		return error_is_set(err) ? -1 : 0;
	}
	/* The lock's file stays: the next drill sees what is left. */
	(void)close(drill->lock);
	if (error_is_set(err))
		return error_hint(err,
		    _("'%s' could not be taken away (%s): the next drill does "
		      "it"),
		    project, failure.text);
	*err = failure;
	return error_prefix(err, _("cannot take away '%s'"), project);
}

static int
drill_archive(struct drill *drill, const char *path, struct error *err)
{
	auto_stream struct stream *data = NULL;

	drill->begun_ms = clock_now_ms();
	data = backup_source_open(&drill->source, path, drill->run->watch, err);
	if (data == NULL)
		return -1;
	if (backup_index_refuse_volume(&drill->source.index, err) < 0 ||
	    choose_pool(drill, err) < 0 || choose_names(drill, err) < 0)
		return error_prefix(err, _("cannot drill '%s'"), path);
	drill->clone.client = drill->run->client;
	drill->clone.timeout_s = drill->run->request->timeout_s;
	drill->lock = host_lock_take(drill->clone.instance.project, 0, err);
	if (drill->lock < 0)
		return -1;
	watch_detail(drill->run->watch, _("drills in the project '%s'"),
	    drill->clone.instance.project);
	if (rehearse(drill, steal(data), err) < 0)
		error_prefix(err, _("cannot drill '%s'"), path);
	return take_away(drill, err);
}

static json_t *
make_proof(const struct drill *drill)
{
	const struct drill_clone *clone = &drill->clone;
	char at[CLOCK_TEXT_BYTES];
	double seconds = (double)(drill->healthy_ms - drill->begun_ms) / 1000;

	return json_pack("{s:s, s:f, s:s, s:O, s:s}", "at",
	    clock_utc(at, time(NULL)), "seconds", seconds, "checked",
	    clone->command != NULL ? clone->command : "running", "without",
	    clone->without, "pool", clone->pool);
}

/* The drill has happened; that it cannot be kept is a note. */
static int
remember(const struct drill *drill, const char *path, json_t *result,
    struct error *err)
{
	auto_json json_t *proof = make_proof(drill);
	struct error failure = {0};

	if (proof == NULL || json_object_update(result, proof) < 0)
		return error_set_memory(err);
	if (proof_keep(
		drill->source.digest.sha256, PROOF_DRILL, proof, &failure) < 0)
		watch_note(drill->run->watch,
		    _("'%s': this cannot be kept: %s"), path, failure.text);
	return 0;
}

static int
drill_one(void *data, const char *path, json_t *result, struct error *err)
{
	const struct run *run = data;
	struct drill drill = {.run = run, .lock = -1};
	int status;

	watch_start(run->watch, path, 0);
	status = drill_archive(&drill, path, err);
	watch_stop(run->watch);
	if (status == 0)
		status = remember(&drill, path, result, err);
	drill_clone_clear(&drill.clone);
	backup_source_clear(&drill.source);
	return status;
}

static int
drill_each(struct run *run, const struct backup_choice *choice, json_t *results,
    struct error *err)
{
	struct backup_verb verb = {
	    .act = drill_one, .data = run, .listener = run->request->listener};
	struct backup_tally tally;

	if (backup_each(choice, &verb, ERROR_DRILL, results, &tally, err) < 0)
		return -1;
	if (tally.failed == 0)
		return 0;
	return error_set(err, tally.grave > 0 ? ERROR_DRILL : ERROR_PARTIAL,
	    _("%zu of %zu drills failed"), tally.failed, tally.count);
}

static int
run_drills(struct run *run, json_t *results, struct error *err)
{
	const struct drill_request *request = run->request;
	struct backup_choice_request wanted = request->which;
	auto_backup_choice struct backup_choice choice = {0};

	wanted.proof = proof_name(PROOF_DRILL);
	wanted.instances_only = true;
	if (backup_choose(&wanted, run->watch, &choice, err) < 0)
		return -1;
	for (size_t i = 0; request->dry_run && i < choice.count; i++)
		watch_note(run->watch, _("would drill '%s'"), choice.paths[i]);
	if (request->dry_run)
		return 0;
	run->client = incus_client_open(request->timeout_s, err);
	if (run->client == NULL)
		return -1;
	verbose_daemon(run->watch, run->client);
	if (drill_sweep(run->client, run->watch, err) < 0)
		return -1;
	return drill_each(run, &choice, results, err);
}

int
drill_backups(const struct drill_request *request, const struct watch *watch,
    json_t **ret_results, struct error *err)
{
	struct run run = {.request = request, .watch = watch};
	int result;

	*ret_results = json_array();
	if (*ret_results == NULL)
		return error_set_memory(err);
	result = run_drills(&run, *ret_results, err);
	incus_client_free(run.client);
	return result;
}
