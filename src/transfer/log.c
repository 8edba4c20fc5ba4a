#include "transfer/log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/audit_file.h"
#include "store/audit_reader.h"
#include "transfer/location.h"
#include "transfer/watch.h"

/* Where syslog keeps its files. */
#define SYSLOG_DIRECTORY "/var/log"

/* Of each trail; one that is damaged all over need not be shown line by line.
 */
#define DAMAGE_MAX 100

/* One reading: the request as it is compared. */
struct search {
	const struct log_request *request;
	struct instance_word instance;
	char since[CLOCK_TEXT_BYTES]; /* "" is ever */
	log_visit *visit;
	void *data;
	size_t matched;
	size_t foreign; /* lines that are no entries */
};

static int
check_result(const char *result, struct error *err)
{
	static const char *const results[] = {
	    "done", "partial", "denied", "failed", "interrupted"};

	if (result == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		if (strcmp(result, results[i]) == 0)
			return 0;
	}
	error_set(err, ERROR_USAGE, _("no run has the result '%s'"), result);
	return error_hint(
	    err, _("it is done, partial, denied, failed or interrupted"));
}

static int
search_init(struct search *search, struct error *err)
{
	const struct log_request *request = search->request;
	time_t since;

	if (check_result(request->result, err) < 0)
		return -1;
	if (request->since != NULL) {
		if (!clock_parse(request->since, time(NULL), &since)) {
			error_set(err, ERROR_USAGE, _("'%s' is not a time"),
			    request->since);
			return error_hint(err,
			    _("it is spelled 2026-11-22, 2026-11-22T14:30, "
			      "today or yesterday"));
		}
		clock_utc(search->since, since);
	}
	return request->instance != NULL
		   ? instance_word_parse(
			 request->instance, &search->instance, err)
		   : 0;
}

static bool
is_at(const struct instance_word *word, const json_t *places)
{
	const json_t *one;
	size_t i;

	json_array_foreach(places, i, one)
	{
		const char *project = json_text(one, "project");
		const char *name = json_text(one, "instance");

		if (name != NULL && strcmp(name, word->name) == 0 &&
		    (word->project == NULL ||
			(project != NULL &&
			    strcmp(project, word->project) == 0)))
			return true;
	}
	return false;
}

static bool
has_text(const json_t *entry, const char *key, const char *text)
{
	const char *found = json_text(entry, key);

	return found != NULL && strcmp(found, text) == 0;
}

static bool
matches(const struct search *search, const json_t *entry)
{
	const struct log_request *request = search->request;
	const char *when = json_text(entry, "time");

	/* Both are RFC 3339 in UTC: their order is that of time. */
	if (search->since[0] != '\0' &&
	    (when == NULL || strcmp(when, search->since) < 0))
		return false;
	if (request->user != NULL && !has_text(entry, "user", request->user) &&
	    !has_text(entry, "sudo_user", request->user))
		return false;
	if (request->result != NULL &&
	    !has_text(entry, "result", request->result))
		return false;
	return request->instance == NULL ||
	       is_at(&search->instance, json_object_get(entry, "from")) ||
	       is_at(&search->instance, json_object_get(entry, "to"));
}

static int
visit_entry(void *data, const struct audit_line *line, struct error *err)
{
	struct search *search = data;

	if (line->entry == NULL) {
		search->foreign++;
		return 0;
	}
	if (!matches(search, line->entry))
		return 0;
	search->matched++;
	return search->visit(search->data, line->entry, err);
}

/* The trail of one place, read. */
struct reading {
	size_t place;
	audit_visit *visit;
	void *data; /* for it */
	char *directory;
	char last[DIGEST_TEXT_BYTES];
};

/* 1 and the reading's directory (heap), 0 when there is no trail or it is not
 * for the caller to read, which is told, or -1. */
static int
read_place(
    struct reading *reading, const struct watch *watch, struct error *err)
{
	struct error homeless = {0};
	auto_free char *directory = audit_directory(reading->place, &homeless);
	int found;

	if (directory == NULL)
		return 0;
	found = audit_read(
	    directory, reading->visit, reading->data, reading->last, err);
	if (found < 0 && err->code == ERROR_DENIED) {
		watch_note(watch, "%s", err->text);
		error_clear(err);
		return 0;
	}
	if (found > 0)
		reading->directory = steal(directory);
	return found;
}

int
log_read(const struct log_request *request, const struct watch *watch,
    log_visit *visit, void *data, struct error *err)
{
	struct search search = {
	    .request = request, .visit = visit, .data = data};
	int found = search_init(&search, err);
	size_t trails = 0;

	for (size_t i = 0; found >= 0 && i < AUDIT_PLACE_COUNT; i++) {
		struct reading reading = {
		    .place = i, .visit = visit_entry, .data = &search};

		found = read_place(&reading, watch, err);
		free(reading.directory);
		trails += found > 0;
	}
	instance_word_clear(&search.instance);
	if (found < 0)
		return -1;
	if (search.foreign > 0)
		watch_note(watch, _("%zu lines are no entries: see --verify"),
		    search.foreign);
	if (trails == 0)
		return error_set(
		    err, ERROR_NOT_FOUND, _("there is no audit trail"));
	if (search.matched == 0)
		return error_set(err, ERROR_NOT_FOUND,
		    _("no entry of the audit trail matches"));
	return 0;
}

/* One trail being checked. */
struct check {
	uint64_t lines;
	json_t *damage;
};

static void
add_damage(struct check *check, uint64_t line, const char *problem)
{
	if (json_array_size(check->damage) < DAMAGE_MAX)
		(void)json_array_append_new(
		    check->damage, json_pack("{s:I, s:s}", "line",
				       (json_int_t)line, "problem", problem));
}

static int
visit_checked(void *data, const struct audit_line *line, struct error *err)
{
	struct check *check = data;

	(void)err;
	check->lines = line->number;
	if (line->entry == NULL)
		add_damage(check, line->number, N_("it is no whole entry"));
	else if (!line->continues && line->number == 1)
		add_damage(check, line->number,
		    N_("it does not continue the file before: lines are "
		       "missing"));
	else if (!line->continues)
		add_damage(check, line->number,
		    N_("it does not continue the line before: that one was "
		       "changed, or lines between are missing"));
	return 0;
}

/* 1 and an object, 0 when there is no trail, -1. */
static int
check_place(size_t place, const struct watch *watch, json_t **ret_trail,
    struct error *err)
{
	auto_json json_t *damage = json_array();
	auto_free char *directory = NULL;
	auto_free char *confirmed = NULL;
	auto_free char *path = NULL;
	struct check check = {.damage = damage};
	struct reading reading = {
	    .place = place, .visit = visit_checked, .data = &check};
	int found = read_place(&reading, watch, err);

	directory = reading.directory;
	if (found <= 0)
		return found;
	if (audit_confirm(SYSLOG_DIRECTORY, reading.last, &confirmed, err) < 0)
		return -1;
	path = text_format(err, "%s/%s", directory, AUDIT_FILE_NAME);
	if (path == NULL)
		return -1;
	*ret_trail = json_pack("{s:s, s:I, s:s, s:s?, s:O}", "path", path,
	    "lines", (json_int_t)check.lines, "last_sha256", reading.last,
	    "end_confirmed_by", confirmed, "damage", damage);
	return *ret_trail != NULL ? 1 : error_set_memory(err);
}

/* The one message about all that is wrong. */
static int
judge(const json_t *trails, struct error *err)
{
	const json_t *one;
	size_t damaged = 0;
	size_t i;

	if (json_array_size(trails) == 0)
		return error_set(
		    err, ERROR_NOT_FOUND, _("there is no audit trail"));
	json_array_foreach(trails, i, one)
	{
		damaged += json_array_size(json_object_get(one, "damage"));
	}
	if (damaged == 0)
		return 0;
	return error_set(
	    err, ERROR_DAMAGED, _("the audit trail is not as it was written"));
}

int
log_verify(const struct watch *watch, json_t **ret_trails, struct error *err)
{
	auto_json json_t *trails = json_array();

	if (trails == NULL)
		return error_set_memory(err);
	for (size_t place = 0; place < AUDIT_PLACE_COUNT; place++) {
		json_t *trail = NULL;
		int found = check_place(place, watch, &trail, err);

		if (found < 0)
			return -1;
		if (found > 0)
			(void)json_array_append_new(trails, trail);
	}
	*ret_trails = steal(trails);
	return judge(*ret_trails, err);
}
