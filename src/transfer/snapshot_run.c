#include "transfer/snapshot_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "transfer/audited_run.h"
#include "transfer/location.h"
#include "transfer/snapshot.h"
#include "transfer/verbose.h"
#include "transfer/watch.h"

static void
run_clear(struct snapshot_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		instance_ref_clear(&run->instances[i]);
	free(run->instances);
	instance_names_clear(&run->known);
	incus_client_free(run->client);
}

static int
find(const struct snapshot_run *run, const char *text,
    struct instance_ref *ret_found, struct error *err)
{
	auto_instance_word struct instance_word word = {0};

	if (instance_word_parse(text, &word, err) < 0)
		return -1;
	return instance_names_find(&run->known, word.project, word.name,
	    run->request->project, ret_found, err);
}

/* Take what a word was found to be over to the instances of this run. */
static int
add(struct snapshot_run *run, const char *text, struct instance_ref *found,
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
find_or_name(struct snapshot_run *run, const struct snapshot_verb *verb,
    const char *text, struct error *err)
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
check_words(const struct snapshot_run *run, const struct snapshot_verb *verb,
    struct error *err)
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
find_all(struct snapshot_run *run, const struct snapshot_verb *verb,
    struct error *err)
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
check_named(const struct snapshot_run *run, const struct snapshot_verb *verb,
    struct error *err)
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
results_new(const struct snapshot_run *run)
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
act_on_each(struct snapshot_run *run, const struct snapshot_verb *verb,
    json_t *results, struct error *err)
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
carry_out(struct snapshot_run *run, const struct snapshot_verb *verb,
    const char *made, json_t **ret_results, struct error *err)
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
audit_places(const struct snapshot_run *run, struct audited_run *audited)
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
audit(const struct snapshot_run *run, struct audited_run *audited,
    const json_t *results, struct error *err)
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

int
snapshot_run_verb(const struct snapshot_request *request,
    const struct watch *watch, const struct snapshot_verb *verb,
    const char *made, json_t **ret_results, struct error *err)
{
	bool two = request->word_count == 2 && request->name == NULL;
	struct snapshot_run run = {
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
