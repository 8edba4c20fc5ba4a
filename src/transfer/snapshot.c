#include "transfer/snapshot.h"

#include <stdlib.h>
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
#include "transfer/audited_run.h"
#include "transfer/location.h"
#include "transfer/self.h"
#include "transfer/verbose.h"
#include "transfer/watch.h"

/* One run: the instances that the words name, and what to do to each. */
struct run {
	const struct snapshot_request *request;
	const struct watch *watch;
	struct incus_client *client;
	struct instance_names known;
	size_t word_count; /* instances, but for: */
	bool second_may_be_name;
	const char *name; /* of the snapshot; borrowed, may be NULL */
	size_t count;
	struct instance_ref *instances;
};

/* Whether the second of two words names the snapshot. */
enum second_word {
	SECOND_IS_INSTANCE,
	SECOND_MAY_BE_NAME, /* when it is the name of no instance */
	SECOND_IS_NAME,	    /* which the verb cannot do without */
};

struct verb {
	enum second_word second;
	const char *audited; /* the command, for the trail; NULL leaves none */
	int (*check_name)(const char *name, struct error *err);
	/* *result is the instance's object, to be added to. */
	int (*act)(struct run *run, const struct instance_ref *of,
	    json_t *result, struct error *err);
};

static void
run_clear(struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		instance_ref_clear(&run->instances[i]);
	free(run->instances);
	instance_names_clear(&run->known);
	incus_client_free(run->client);
}

static int
find(const struct run *run, const char *text, struct instance_ref *ret_found,
    struct error *err)
{
	auto_instance_word struct instance_word word = {0};

	if (instance_word_parse(text, &word, err) < 0)
		return -1;
	return instance_names_find(&run->known, word.project, word.name,
	    run->request->project, ret_found, err);
}

/* Take what a word was found to be over to the instances of this run. */
static int
add(struct run *run, const char *text, struct instance_ref *found,
    struct error *err)
{
	size_t index = run->count++;

	run->instances[index] = *found;
	verbose_instance(run->watch, text, found);
	for (size_t i = 0; i < index; i++) {
		if (strcmp(run->instances[i].name, found->name) == 0 &&
		    strcmp(run->instances[i].project, found->project) == 0)
			return error_set(err, ERROR_USAGE,
			    _("'%s/%s' is named twice"), found->project,
			    found->name);
	}
	return 0;
}

/* A word that is an instance, or else the snapshot's name. */
static int
find_or_name(struct run *run, const struct verb *verb, const char *text,
    struct error *err)
{
	struct instance_ref found = {0};

	if (find(run, text, &found, err) == 0)
		return add(run, text, &found, err);
	if (err->code != ERROR_NOT_FOUND && err->code != ERROR_USAGE)
		return -1;
	error_clear(err);
	run->name = text;
	return verb->check_name(text, err);
}

/* What can be said of the words without a daemon. */
static int
check_words(const struct run *run, const struct verb *verb, struct error *err)
{
	size_t count = run->word_count;

	if (run->name != NULL && verb->check_name(run->name, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		auto_instance_word struct instance_word word = {0};

		if (i == 1 && run->second_may_be_name)
			continue;
		if (instance_word_parse(run->request->words[i], &word, err) < 0)
			return -1;
	}
	return 0;
}

/* All instances, before anything is done to the first. */
static int
find_all(struct run *run, const struct verb *verb, struct error *err)
{
	const struct snapshot_request *request = run->request;

	run->instances = calloc(run->word_count, sizeof(run->instances[0]));
	if (run->instances == NULL)
		return error_set_memory(err);
	run->client = incus_client_open(request->timeout_s, err);
	if (run->client == NULL)
		return -1;
	verbose_daemon(run->watch, run->client);
	if (incus_list_names(run->client, &run->known, err) < 0)
		return -1;

	for (size_t i = 0; i < run->word_count; i++) {
		struct instance_ref found = {0};

		if (i == 1 && run->second_may_be_name)
			return find_or_name(run, verb, request->words[i], err);
		if (find(run, request->words[i], &found, err) < 0) {
			if (i == 1 && request->name != NULL)
				error_hint(
				    err, _("with --name, every word is an "
					   "instance"));
			return -1;
		}
		if (add(run, request->words[i], &found, err) < 0)
			return -1;
	}
	return 0;
}

/* To restore and to delete, no name is made up. */
static int
check_named(const struct run *run, const struct verb *verb, struct error *err)
{
	if (verb->second != SECOND_IS_NAME || run->name != NULL)
		return 0;
	error_set(err, ERROR_USAGE, _("which snapshot?"));
	for (size_t i = 0; i < run->count; i++) {
		const struct instance_ref *of = &run->instances[i];
		struct error ignored = {0};
		auto_free char *whole =
		    text_format(&ignored, "%s/%s", of->project, of->name);

		error_hint_command(
		    err, "anklume", "snapshot", "list", whole, NULL);
	}
	return -1;
}

/* One object for each instance; fewer when memory is out. */
static json_t *
results_new(const struct run *run)
{
	json_t *results = json_array();

	for (size_t i = 0; i < run->count; i++) {
		const struct instance_ref *of = &run->instances[i];
		json_t *dry = run->request->dry_run ? json_true() : NULL;
		json_t *status = run->count > 1 ? json_null() : NULL;

		(void)json_array_append_new(results,
		    json_pack("{s:s, s:s, s:s*, s:o*, s:o*}", "project",
			of->project, "instance", of->name, "snapshot",
			run->name, "dry_run", dry, "status", status));
	}
	return results;
}

/* What became of one of several. */
static void
result_settle(json_t *result, const struct error *failure)
{
	(void)json_object_set_new(
	    result, "status", json_integer((json_int_t)failure->code));
	if (error_is_set(failure))
		(void)json_object_set_new(
		    result, "error", json_string(failure->text));
}

/* A failure that the next instance would only meet again. */
static bool
ends_run(const struct error *failure)
{
	return failure->code == ERROR_INTERRUPTED ||
	       failure->code == ERROR_TERMINATED ||
	       failure->code == ERROR_UNREACHABLE;
}

static int
act_on_each(struct run *run, const struct verb *verb, json_t *results,
    struct error *err)
{
	size_t failed = 0;

	for (size_t i = 0; i < run->count; i++) {
		json_t *result = json_array_get(results, i);
		struct error failure = {0};
		int done = verb->act(run, &run->instances[i], result, &failure);

		if (run->count > 1)
			result_settle(result, &failure);
		if (done == 0)
			continue;
		if (run->count == 1 || ends_run(&failure)) {
			*err = failure;
			return -1;
		}
		failed++;
		watch_note(run->watch, "%s", failure.text);
	}
	if (failed > 0)
		return error_set(err, ERROR_PARTIAL,
		    _("%zu of %zu instances failed"), failed, run->count);
	return 0;
}

/* `made` is the name where nobody says one; may be NULL. */
static int
carry_out(struct run *run, const struct verb *verb, const char *made,
    json_t **ret_results, struct error *err)
{
	if (check_words(run, verb, err) < 0 || find_all(run, verb, err) < 0 ||
	    check_named(run, verb, err) < 0)
		return -1;
	if (run->name == NULL)
		run->name = made;
	*ret_results = results_new(run);
	if (json_array_size(*ret_results) != run->count)
		return error_set_memory(err);
	return act_on_each(run, verb, *ret_results, err);
}

/* The instances and their snapshots; as typed, where they were not found. */
static void
audit_places(const struct run *run, struct audited_run *audited)
{
	bool found = run->count == run->word_count;

	for (size_t i = 0; i < run->word_count; i++) {
		struct audited_place place = {
		    .project = found ? run->instances[i].project : NULL,
		    .instance =
			found ? run->instances[i].name : run->request->words[i],
		    .snapshot = run->name,
		};

		audited_run_from(audited, &place);
		place.snapshot = NULL;
		audited_run_to(audited, &place);
	}
}

static int
audit(const struct run *run, struct audited_run *audited, const json_t *results,
    struct error *err)
{
	size_t count = json_array_size(results);

	if (audited->command == NULL)
		return error_is_set(err) ? -1 : 0;
	audit_places(run, audited);
	for (size_t i = 0; count > 1 && i < count; i++) {
		const json_t *status =
		    json_object_get(json_array_get(results, i), "status");

		audited->done += json_is_integer(status) &&
				 json_integer_value(status) == ERROR_NONE;
	}
	if (!error_is_set(err))
		audited->done = run->count;
	audited->failed = run->word_count - audited->done;
	return audited_run_end(audited, run->watch, err);
}

static int
snapshot_run(const struct snapshot_request *request, const struct watch *watch,
    const struct verb *verb, const char *made, json_t **ret_results,
    struct error *err)
{
	bool two = request->word_count == 2 && request->name == NULL;
	struct run run = {
	    .request = request,
	    .watch = watch,
	    .word_count = request->word_count,
	    .second_may_be_name = two && verb->second == SECOND_MAY_BE_NAME,
	    .name = request->name,
	};
	struct audited_run audited = {
	    .command = verb->audited, .dry_run = request->dry_run};
	int result;

	if (two && verb->second == SECOND_IS_NAME) {
		run.name = request->words[1];
		run.word_count = 1;
	}
	*ret_results = NULL;
	if (audited.command == NULL || audited_run_begin(&audited, err) == 0)
		(void)carry_out(&run, verb, made, ret_results, err);
	result = audit(&run, &audited, *ret_results, err);
	run_clear(&run);
	return result;
}

static int
create_one(struct run *run, const struct instance_ref *of, json_t *result,
    struct error *err)
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
need(const struct run *run, const struct instance_ref *of, struct error *err)
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
restore_one(struct run *run, const struct instance_ref *of, json_t *result,
    struct error *err)
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
delete_one(struct run *run, const struct instance_ref *of, json_t *result,
    struct error *err)
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
list_one(struct run *run, const struct instance_ref *of, json_t *result,
    struct error *err)
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
	static const struct verb verb = {SECOND_MAY_BE_NAME, NULL,
	    incus_snapshot_check_new_name, create_one};
	char stamp[CLOCK_TEXT_BYTES];
	auto_free char *made =
	    text_format(err, "snap-%s", clock_local_stamp(stamp, time(NULL)));

	if (made == NULL)
		return -1;
	return snapshot_run(request, watch, &verb, made, ret_results, err);
}

int
snapshot_restore(const struct snapshot_request *request,
    const struct watch *watch, json_t **ret_results, struct error *err)
{
	static const struct verb verb = {SECOND_IS_NAME, "snapshot restore",
	    incus_snapshot_check_name, restore_one};

	return snapshot_run(request, watch, &verb, NULL, ret_results, err);
}

int
snapshot_delete(const struct snapshot_request *request,
    const struct watch *watch, json_t **ret_results, struct error *err)
{
	static const struct verb verb = {SECOND_IS_NAME, "snapshot delete",
	    incus_snapshot_check_name, delete_one};

	return snapshot_run(request, watch, &verb, NULL, ret_results, err);
}

int
snapshot_list(const struct snapshot_request *request, const struct watch *watch,
    json_t **ret_results, struct error *err)
{
	static const struct verb verb = {
	    SECOND_IS_INSTANCE, NULL, incus_snapshot_check_name, list_one};
	struct snapshot_request looking = *request;

	/* Nothing is written, and nothing left out. */
	looking.dry_run = false;
	return snapshot_run(&looking, watch, &verb, NULL, ret_results, err);
}
