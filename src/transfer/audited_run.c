#include "transfer/audited_run.h"

#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "store/audit.h"
#include "transfer/policy_file.h"
#include "transfer/watch.h"

/* PATH_MAX bytes, each as "\xNN". */
#define SHOWN_MAX_BYTES (4 * PATH_MAX + 1)

int
audited_run_check(struct audited_run *run, bool required, struct error *err)
{
	run->required = required;
	if (!required || run->dry_run || audit_check_writable(err) == 0)
		return 0;
	err->code = ERROR_DENIED;
	return error_prefix(
	    err, _("the policy wants a trail, and none can be written"));
}

int
audited_run_begin(struct audited_run *run, struct error *err)
{
	auto_policy_set struct policy_set policies = {0};

	if (policy_set_enforce(&policies, err) < 0)
		return -1;
	return audited_run_check(
	    run, policy_set_requires_audit(&policies), err);
}

/* A name as it may be shown, which is UTF-8 then; NULL is left out. */
static void
set_text(json_t *object, const char *key, const char *text)
{
	auto_free char *shown = NULL;

	if (text == NULL)
		return;
	shown = malloc(SHOWN_MAX_BYTES);
	if (shown == NULL)
		return;
	text_escape(shown, SHOWN_MAX_BYTES, text, strlen(text));
	(void)json_object_set_new(object, key, json_string(shown));
}

/* A path of ours means something only with its directory. Heap, or NULL. */
static char *
absolute(const char *path)
{
	struct error ignored = {0};
	auto_free char *directory = NULL;

	if (*path == '/' || strcmp(path, "-") == 0)
		return text_copy(path, strlen(path), &ignored);
	directory = getcwd(NULL, 0);
	return text_format(
	    &ignored, "%s/%s", directory != NULL ? directory : ".", path);
}

static json_t *
describe_place(const struct audited_place *place)
{
	struct error ignored = {0};
	const char *slash =
	    place->instance != NULL ? strchr(place->instance, '/') : NULL;
	auto_free char *project =
	    slash != NULL ? text_copy(place->instance,
				(size_t)(slash - place->instance), &ignored)
			  : NULL;
	auto_free char *path = place->path != NULL && place->instance == NULL &&
				       place->volume == NULL
				   ? absolute(place->path)
				   : NULL;
	json_t *object = json_object();

	set_text(object, "project", slash != NULL ? project : place->project);
	set_text(
	    object, "instance", slash != NULL ? slash + 1 : place->instance);
	set_text(object, "volume", place->volume);
	set_text(object, "snapshot", place->snapshot);
	set_text(object, "path", path != NULL ? path : place->path);
	return object;
}

static void
add_place(json_t **list, size_t *more, const struct audited_place *place)
{
	if (*list == NULL)
		*list = json_array();
	if (json_array_size(*list) < AUDITED_PLACES_MAX)
		(void)json_array_append_new(*list, describe_place(place));
	else
		(*more)++;
}

void
audited_run_from(struct audited_run *run, const struct audited_place *place)
{
	add_place(&run->from, &run->from_more, place);
}

void
audited_run_to(struct audited_run *run, const struct audited_place *place)
{
	add_place(&run->to, &run->to_more, place);
}

/* gpg hears the same Ctrl-C, and fails: that is not the cause. */
static enum error_code
status_of(const struct error *err)
{
	struct error cause = {0};

	if (error_is_set(err) && interrupt_seen())
		(void)interrupt_check(&cause);
	return error_is_set(&cause) ? cause.code : err->code;
}

static const char *
result_of(enum error_code status)
{
	if (status == ERROR_NONE)
		return "done";
	if (status == ERROR_PARTIAL)
		return "partial";
	if (status == ERROR_DENIED)
		return "denied";
	if (status == ERROR_INTERRUPTED || status == ERROR_TERMINATED)
		return "interrupted";
	return "failed";
}

static void
set_who(json_t *entry)
{
	uid_t uid = getuid();
	const struct passwd *found = getpwuid(uid);

	(void)json_object_set_new(entry, "uid", json_integer((json_int_t)uid));
	set_text(entry, "user", found != NULL ? found->pw_name : NULL);
	set_text(entry, "sudo_user", getenv("SUDO_USER"));
}

static void
set_number(json_t *entry, const char *key, uint64_t number)
{
	(void)json_object_set_new(entry, key, json_integer((json_int_t)number));
}

static void
set_places(json_t *entry, const char *key, json_t *list)
{
	(void)(list != NULL ? json_object_set(entry, key, list)
			    : json_object_set_new(entry, key, json_array()));
}

/* What a cut line of syslog should still tell comes first. */
static json_t *
describe(const struct audited_run *run, const struct error *err)
{
	enum error_code status = status_of(err);
	char now[CLOCK_TEXT_BYTES];
	json_t *entry = json_pack("{s:s, s:s, s:s, s:i}", "time",
	    clock_utc(now, time(NULL)), "command", run->command, "result",
	    result_of(status), "status", (int)status);

	set_who(entry);
	set_places(entry, "from", run->from);
	if (run->from_more > 0)
		set_number(entry, "from_more", run->from_more);
	set_places(entry, "to", run->to);
	if (run->to_more > 0)
		set_number(entry, "to_more", run->to_more);
	set_number(entry, "done", run->done);
	set_number(entry, "failed", run->failed);
	set_number(entry, "size_bytes", run->size_bytes);
	set_text(entry, "sha256", run->sha256);
	set_text(entry, "rule", run->rule);
	if (error_is_set(err))
		set_text(entry, "error", err->text);
	return entry;
}

static int
write_entry(const struct audited_run *run, const struct error *err,
    struct error *failure)
{
	auto_json json_t *entry = describe(run, err);

	if (entry == NULL)
		return error_set_memory(failure);
	return audit_append(entry, failure);
}

int
audited_run_end(
    struct audited_run *run, const struct watch *watch, struct error *err)
{
	struct error failure = {0};

	if (!run->dry_run && err->code != ERROR_USAGE &&
	    write_entry(run, err, &failure) < 0) {
		error_prefix(
		    &failure, _("the audit trail could not be written"));
		if (run->required && !error_is_set(err))
			*err = failure;
		else if (failure.hint[0] != '\0')
			watch_note(
			    watch, "%s (%s)", failure.text, failure.hint);
		else
			watch_note(watch, "%s", failure.text);
	}
	json_decref(run->from);
	json_decref(run->to);
	run->from = NULL;
	run->to = NULL;
	return error_is_set(err) ? -1 : 0;
}
