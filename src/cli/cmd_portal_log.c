#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "transfer/log.h"

/* Of one end, or one cell; what is longer is cut. */
#define CELL_BYTES 512

struct log_options {
	const char *since;
	const char *instance;
	const char *user;
	const char *result;
	bool verify;
};

#define FIELD(name) offsetof(struct log_options, name)

static const struct option_spec specs[] = {
    {"since", 0, OPTION_TEXT, FIELD(since), N_("TIME"),
	N_("2026-11-22, 2026-11-22T14:30, today, yesterday"), WORD_CHOICE,
	"today yesterday"},
    {"instance", 0, OPTION_TEXT, FIELD(instance), N_("INSTANCE"),
	N_("what came from this instance, or went to it"), WORD_INSTANCE},
    {"user", 0, OPTION_TEXT, FIELD(user), N_("USER"),
	N_("what this user did, also by sudo")},
    {"result", 0, OPTION_TEXT, FIELD(result), N_("RESULT"),
	N_("done, partial, denied, failed or interrupted"), WORD_CHOICE,
	"done partial denied failed interrupted"},
    {"verify", 0, OPTION_FLAG, FIELD(verify), NULL,
	N_("is every line as it was written?")},
    {0},
};

/* Where the entries of one run go. */
struct listing {
	struct output *output;
	json_t *entries; /* NULL: shown one by one */
};

/* A text of the trail's file, which anybody may have written. */
static const char *
show_text(char buf[CELL_BYTES], const json_t *object, const char *key)
{
	const char *text = json_text(object, key);

	if (text == NULL)
		text = "?";
	return text_escape(buf, CELL_BYTES, text, strlen(text));
}

/* "2026-11-22 03:04:05", local time. */
static const char *
show_time(char buf[CELL_BYTES], const json_t *entry)
{
	const char *text = json_text(entry, "time");
	char local[CLOCK_TEXT_BYTES];
	time_t when;

	if (text == NULL || !clock_parse(text, 0, &when))
		return show_text(buf, entry, "time");
	(void)snprintf(buf, CELL_BYTES, "%s", clock_local(local, when));
	return buf;
}

static const char *
show_user(char buf[CELL_BYTES], const json_t *entry)
{
	char user[CELL_BYTES];
	char before[CELL_BYTES];

	if (json_text(entry, "sudo_user") == NULL)
		return show_text(buf, entry, "user");
	(void)snprintf(buf, CELL_BYTES, "%.200s(%.200s)",
	    show_text(user, entry, "user"),
	    show_text(before, entry, "sudo_user"));
	return buf;
}

/* "work/web:/etc/hosts", "work/web@before-upgrade", "work/default/mail" for a
 * volume, "/srv/file", "-". */
static void
show_place(char buf[CELL_BYTES], const json_t *place)
{
	const char *project = json_text(place, "project");
	const char *volume = json_text(place, "volume");
	const char *instance =
	    volume != NULL ? volume : json_text(place, "instance");
	const char *snapshot = json_text(place, "snapshot");
	const char *path = json_text(place, "path");
	struct error ignored = {0};
	auto_free char *whole = text_format(&ignored, "%s%s%s%s%s%s%s",
	    project != NULL ? project : "", project != NULL ? "/" : "",
	    instance != NULL ? instance : "", snapshot != NULL ? "@" : "",
	    snapshot != NULL ? snapshot : "",
	    instance != NULL && path != NULL ? ":" : "",
	    path != NULL ? path : "");

	if (whole != NULL)
		text_escape(buf, CELL_BYTES, whole, strlen(whole));
}

/* The first place of one side, and how many there are besides. */
static const char *
show_side(char buf[2 * CELL_BYTES], const json_t *entry, const char *side,
    const char *side_more)
{
	const json_t *places = json_object_get(entry, side);
	json_int_t more = (json_int_t)json_array_size(places) - 1 +
			  json_number(entry, side_more);
	char first[CELL_BYTES] = "?";

	show_place(first, json_array_get(places, 0));
	if (more > 0)
		(void)snprintf(buf, 2 * CELL_BYTES, _("%s and %lld more"),
		    first, (long long)more);
	else
		(void)snprintf(buf, 2 * CELL_BYTES, "%s", first);
	return buf;
}

static void
print_entry(struct output *output, const json_t *entry)
{
	char when[CELL_BYTES];
	char user[CELL_BYTES];
	char command[CELL_BYTES];
	char result[CELL_BYTES];
	char size[TEXT_SIZE_BYTES];
	char from[2 * CELL_BYTES];
	char to[2 * CELL_BYTES];

	output_line(output, "%s  %-11s  %-8s  %-16s  %10s  %s -> %s",
	    show_time(when, entry), show_text(result, entry, "result"),
	    show_user(user, entry), show_text(command, entry, "command"),
	    text_show_size(size, (uint64_t)json_number(entry, "size_bytes")),
	    show_side(from, entry, "from", "from_more"),
	    show_side(to, entry, "to", "to_more"));
}

static int
visit(void *data, const json_t *entry, struct error *err)
{
	struct listing *listing = data;

	if (listing->entries == NULL)
		print_entry(listing->output, entry);
	else if (json_array_append(
		     listing->entries, (json_t *)(uintptr_t)entry) < 0)
		return error_set_memory(err);
	return 0;
}

static int
list(const struct invocation *invocation, struct error *err)
{
	const struct log_options *options = invocation->options;
	struct log_request request = {
	    .since = options->since,
	    .instance = options->instance,
	    .user = options->user,
	    .result = options->result,
	};
	auto_json json_t *entries =
	    invocation->global->json ? json_array() : NULL;
	auto_json json_t *fields = NULL;
	struct listing listing = {invocation->output, entries};
	int status = log_read(
	    &request, output_watch(invocation->output), visit, &listing, err);

	fields = json_pack("{s:O*}", "entries", entries);
	output_json(invocation->output, fields);
	return status;
}

static void
print_trail(struct output *output, const json_t *trail)
{
	const json_t *damage = json_object_get(trail, "damage");
	const char *confirmed = json_text(trail, "end_confirmed_by");
	char path[CELL_BYTES];
	const json_t *one;
	size_t i;

	show_text(path, trail, "path");
	json_array_foreach(damage, i, one)
	{
		output_line(output, _("%s, line %lld: %s"), path,
		    (long long)json_number(one, "line"),
		    _(json_text(one, "problem")));
	}
	output_line(output,
	    json_array_size(damage) == 0 ? _("%s: %lld lines, intact")
					 : _("%s: %lld lines, damaged"),
	    path, (long long)json_number(trail, "lines"));
	if (confirmed != NULL)
		output_line(
		    output, _("%s: %s confirms its end"), path, confirmed);
	else
		output_line(output,
		    _("%s: nothing confirms its end, lines may be missing "
		      "there; look for its last line's hash in syslog:\n"
		      "  journalctl -t anklume --grep %s"),
		    path, json_text(trail, "last_sha256"));
}

static int
verify(const struct invocation *invocation, struct error *err)
{
	const struct log_options *options = invocation->options;
	auto_json json_t *trails = NULL;
	auto_json json_t *fields = NULL;
	const json_t *one;
	size_t i;
	int status;

	if (options->since != NULL || options->instance != NULL ||
	    options->user != NULL || options->result != NULL)
		return error_set(err, ERROR_USAGE,
		    _("--verify checks all lines: nothing goes with it"));
	status = log_verify(output_watch(invocation->output), &trails, err);
	json_array_foreach(trails, i, one)
	{
		print_trail(invocation->output, one);
	}
	fields = json_pack("{s:O?}", "trails", trails);
	output_json(invocation->output, fields);
	return status;
}

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct log_options *options = invocation->options;

	return options->verify ? verify(invocation, err)
			       : list(invocation, err);
}

const struct command portal_log_command = {
    .words = "portal log",
    .summary = N_("what was moved, by whom, and whether it may be believed"),
    .examples = "  anklume portal log --since yesterday\n"
		"  anklume portal log --instance work/web --result denied\n"
		"  anklume portal log --verify\n",
    .options = specs,
    .options_size = sizeof(struct log_options),
    .arguments_min = 0,
    .arguments_max = 0,
    .run = run,
};
