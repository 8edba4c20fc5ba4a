#include "transfer/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "store/catalogue.h"
#include "store/subject.h"
#include "transfer/backup_group.h"
#include "transfer/backup_state.h"
#include "transfer/backup_word.h"
#include "transfer/create_choice.h"

/* One run. */
struct survey {
	const struct status_request *request;
	const char *fingerprint; /* of the daemon; borrowed */
	struct backup_groups groups;
	bool *used; /* of these: its instance is there */
	json_t *instances;
	time_t now;
};

/* What is known of one instance. */
struct finding {
	time_t backup; /* of the newest that is intact; 0: none */
	time_t verified;
	time_t drilled;
	const struct catalogue_entry *newest;
	uint64_t total_bytes;
	size_t archives;
	size_t damaged;
	bool shrank;
	json_t *history; /* owned */
};

/* When it was proven; 0: never. */
static time_t
proven_at(const json_t *proofs, const char *kind)
{
	const char *at = json_text(json_object_get(proofs, kind), "at");
	time_t when = 0;

	return at != NULL && clock_parse_rfc3339(at, &when) ? when : 0;
}

static time_t
later(time_t a, time_t b)
{
	return a > b ? a : b;
}

static int
add_history(struct finding *finding, const struct catalogue_entry *entry,
    time_t verified, time_t drilled, struct error *err)
{
	const json_t *manifest = entry->manifest;

	if (json_array_size(finding->history) == STATUS_HISTORY_MAX)
		return 0;
	if (json_array_append_new(finding->history,
		json_pack("{s:O, s:I, s:I, s:b, s:b}", "created_at",
		    json_object_get(manifest, "created_at"), "size_bytes",
		    (json_int_t)entry->size_bytes, "tar_size_bytes",
		    json_number(manifest, "tar_size_bytes"), "verified",
		    verified > 0, "drilled", drilled > 0)) < 0)
		return error_set_memory(err);
	return 0;
}

static int
add_archive(struct finding *finding, const struct catalogue_entry *entry,
    struct error *err)
{
	auto_json json_t *proofs = backup_proofs(entry, err);
	time_t when = 0;
	time_t verified;
	time_t drilled;

	if (proofs == NULL)
		return -1;
	finding->archives++;
	finding->total_bytes += entry->size_bytes;
	if (strcmp(backup_state(entry, proofs), "present") != 0 ||
	    !backup_group_time(entry, &when)) {
		finding->damaged++;
		return 0;
	}
	verified =
	    later(proven_at(proofs, "content"), proven_at(proofs, "digest"));
	drilled = proven_at(proofs, "drill");
	if (finding->newest == NULL) {
		finding->newest = entry;
		finding->backup = when;
	}
	finding->verified = later(finding->verified, verified);
	finding->drilled = later(finding->drilled, drilled);
	finding->shrank |= backup_group_shrank(entry);
	return add_history(finding, entry, verified, drilled, err);
}

static json_t *
time_or_null(time_t when)
{
	char text[CLOCK_TEXT_BYTES];

	return when > 0 ? json_string(clock_utc(text, when)) : json_null();
}

static bool
is_late(
    const struct survey *survey, const struct status_limit *limit, time_t when)
{
	return limit->set && when < duration_before(&limit->age, survey->now);
}

/* In the order of their weight; the first is the row's state. */
static json_t *
problems_of(const struct survey *survey, const struct finding *finding)
{
	const struct status_request *request = survey->request;
	json_t *problems = json_array();

	if (finding->newest == NULL)
		(void)json_array_append_new(problems, json_string("never"));
	else if (is_late(survey, &request->backup, finding->backup))
		(void)json_array_append_new(problems, json_string("late"));
	if (finding->damaged > 0)
		(void)json_array_append_new(problems, json_string("damaged"));
	if (finding->shrank)
		(void)json_array_append_new(problems, json_string("shrank"));
	if (finding->newest != NULL &&
	    is_late(survey, &request->verified, finding->verified))
		(void)json_array_append_new(
		    problems, json_string("unverified"));
	if (finding->newest != NULL &&
	    is_late(survey, &request->drilled, finding->drilled))
		(void)json_array_append_new(problems, json_string("undrilled"));
	return problems;
}

static int
add_row(struct survey *survey, const struct instance_ref *instance,
    const char *state, const char *reason, const struct finding *finding,
    struct error *err)
{
	bool judged = state == NULL;
	json_t *problems = judged ? problems_of(survey, finding) : json_array();
	const char *first = json_string_value(json_array_get(problems, 0));
	const struct catalogue_entry *newest = finding->newest;
	json_t *row;

	if (judged)
		state = first != NULL ? first : "ok";
	row = json_pack("{s:s, s:s, s:s, s:o*, s:o, s:o, s:o, s:o, s:I, s:o*,"
			" s:I, s:I, s:I, s:O}",
	    "project", instance->project, "instance", instance->name, "state",
	    state, "reason",
	    reason != NULL ? json_string_escaped(reason) : NULL, "problems",
	    problems, "last_backup", time_or_null(finding->backup),
	    "last_verified", time_or_null(finding->verified), "last_drilled",
	    time_or_null(finding->drilled), "size_bytes",
	    newest != NULL ? (json_int_t)newest->size_bytes : 0, "path",
	    newest != NULL ? json_string_escaped(newest->path) : NULL,
	    "archives", (json_int_t)finding->archives, "damaged",
	    (json_int_t)finding->damaged, "total_bytes",
	    (json_int_t)finding->total_bytes, "history", finding->history);
	if (json_array_append_new(survey->instances, row) < 0)
		return error_set_memory(err);
	return 0;
}

/* A row for an instance; `group` is NULL without any archive. */
static int
look_at(struct survey *survey, const struct instance_ref *instance,
    const char *state, const char *reason, const struct backup_group *group,
    struct error *err)
{
	struct finding finding = {.history = json_array()};
	int result = 0;

	for (size_t i = 0; group != NULL && i < group->count && result == 0;
	     i++)
		result = add_archive(&finding, group->entries[i], err);
	if (result == 0)
		result =
		    add_row(survey, instance, state, reason, &finding, err);
	json_decref(finding.history);
	return result;
}

static int
compare_group(const void *key, const void *item)
{
	const struct backup_group *wanted = key;
	const struct backup_group *group = item;
	int order = strcmp(wanted->project, group->project);

	if (order == 0)
		order = subject_compare(wanted->subject, group->subject);
	return order != 0 ? order
			  : strcmp(wanted->fingerprint, group->fingerprint);
}

/* They are sorted by just this. */
static const struct backup_group *
find_group(struct survey *survey, const struct instance_ref *instance)
{
	const struct backup_group wanted = {
	    .project = instance->project,
	    .subject = instance->name,
	    .fingerprint = survey->fingerprint,
	};
	const struct backup_group *found =
	    bsearch(&wanted, survey->groups.items, survey->groups.count,
		sizeof(*survey->groups.items), compare_group);

	if (found != NULL)
		survey->used[found - survey->groups.items] = true;
	return found;
}

static int
look_at_instance(struct survey *survey, const json_t *about, struct error *err)
{
	const struct instance_ref instance = {
	    .project = (char *)(uintptr_t)json_text(about, "project"),
	    .name = (char *)(uintptr_t)json_text(about, "name"),
	};
	auto_free char *reason = NULL;

	if (instance.project == NULL || instance.name == NULL)
		return error_set(err, ERROR_FAILED,
		    _("the daemon lists an instance without a name"));
	if (strncmp(instance.project, INSTANCE_DRILL_PREFIX,
		strlen(INSTANCE_DRILL_PREFIX)) == 0 ||
	    (survey->request->project != NULL &&
		strcmp(survey->request->project, instance.project) != 0))
		return 0;
	reason = create_choice_reason_against(about, err);
	if (error_is_set(err))
		return -1;
	return look_at(survey, &instance, reason != NULL ? "excluded" : NULL,
	    reason, find_group(survey, &instance), err);
}

/* Instances that have backups and are no more. */
static int
look_at_gone(struct survey *survey, struct error *err)
{
	for (size_t i = 0; i < survey->groups.count; i++) {
		const struct backup_group *group = &survey->groups.items[i];
		const struct instance_ref instance = {
		    .project = (char *)(uintptr_t)group->project,
		    .name = (char *)(uintptr_t)group->subject,
		};

		if (survey->used[i] || subject_is_volume(group->subject) ||
		    strcmp(group->fingerprint, survey->fingerprint) != 0 ||
		    (survey->request->project != NULL &&
			strcmp(survey->request->project, group->project) != 0))
			continue;
		if (look_at(survey, &instance, "gone", NULL, group, err) < 0)
			return -1;
	}
	return 0;
}

static int
compare(const void *left, const void *right)
{
	const json_t *a = *(const json_t *const *)left;
	const json_t *b = *(const json_t *const *)right;
	int order = strcmp(json_text(a, "project"), json_text(b, "project"));

	return order != 0
		   ? order
		   : strcmp(json_text(a, "instance"), json_text(b, "instance"));
}

/* By project and name, and counted. */
static int
conclude(const struct survey *survey, struct status_result *result,
    struct error *err)
{
	size_t count = json_array_size(survey->instances);
	auto_free json_t **rows = calloc(count + 1, sizeof(json_t *));

	result->instances = json_array();
	result->now = survey->now;
	if (rows == NULL || result->instances == NULL)
		return error_set_memory(err);
	for (size_t i = 0; i < count; i++)
		rows[i] = json_array_get(survey->instances, i);
	qsort(rows, count, sizeof(json_t *), compare);
	for (size_t i = 0; i < count; i++) {
		const char *state = json_text(rows[i], "state");

		if (json_array_append(result->instances, rows[i]) < 0)
			return error_set_memory(err);
		if (strcmp(state, "gone") == 0 ||
		    strcmp(state, "excluded") == 0)
			continue;
		result->count++;
		result->wanting += strcmp(state, "ok") != 0;
	}
	return 0;
}

static int
survey_all(
    struct survey *survey, struct status_result *result, struct error *err)
{
	auto_client struct incus_client *client =
	    incus_client_open(survey->request->timeout_s, err);
	const struct incus_server *server =
	    client != NULL ? incus_client_server(client, err) : NULL;
	auto_json json_t *known = NULL;
	const json_t *about;
	size_t i;

	if (server == NULL || incus_instance_list(client, &known, err) < 0)
		return -1;
	survey->fingerprint = server->fingerprint;
	json_array_foreach(known, i, about)
	{
		if (look_at_instance(survey, about, err) < 0)
			return -1;
	}
	if (look_at_gone(survey, err) < 0)
		return -1;
	return conclude(survey, result, err);
}

int
backup_status(const struct status_request *request,
    struct status_result *ret_result, struct error *err)
{
	auto_catalogue struct catalogue catalogue = {0};
	struct survey survey = {
	    .request = request,
	    .instances = json_array(),
	    .now = time(NULL),
	};
	int result = -1;

	if (catalogue_read(
		request->from != NULL ? request->from : BACKUP_DIRECTORY,
		&catalogue, err) == 0 &&
	    backup_groups_make(&catalogue, &survey.groups, err) == 0) {
		survey.used = calloc(survey.groups.count + 1, sizeof(bool));
		result = survey.used != NULL
			     ? survey_all(&survey, ret_result, err)
			     : error_set_memory(err);
	}
	backup_groups_clear(&survey.groups);
	free(survey.used);
	json_decref(survey.instances);
	return result;
}

void
status_result_clear(struct status_result *result)
{
	json_decref(result->instances);
	*result = (struct status_result){0};
}
