#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/configured.h"
#include "cli/lock_wait.h"
#include "cli/output.h"
#include "transfer/configuration_keys.h"
#include "transfer/prune.h"
#include "transfer/whose.h"

/* More than Incus lets the names of a project, a pool and a volume have. */
#define WHOSE_BYTES 512

struct prune_options {
	const char *from;
	const char *keep[RETENTION_PERIODS];
	const char *keep_within;
	const char *lock_wait;
};

#define FIELD(name) offsetof(struct prune_options, name)
#define KEEP(period) offsetof(struct prune_options, keep[period])

static const struct option_spec specs[] = {
    {"keep-last", 0, OPTION_TEXT, KEEP(RETENTION_LAST), N_("N"),
	N_("keep the newest N")},
    {"keep-hourly", 0, OPTION_TEXT, KEEP(RETENTION_HOURLY), N_("N"),
	N_("the newest of each of N hours")},
    {"keep-daily", 0, OPTION_TEXT, KEEP(RETENTION_DAILY), N_("N"),
	N_("the newest of each of N days")},
    {"keep-weekly", 0, OPTION_TEXT, KEEP(RETENTION_WEEKLY), N_("N"),
	N_("of N weeks")},
    {"keep-monthly", 0, OPTION_TEXT, KEEP(RETENTION_MONTHLY), N_("N"),
	N_("of N months")},
    {"keep-yearly", 0, OPTION_TEXT, KEEP(RETENTION_YEARLY), N_("N"),
	N_("of N years")},
    {"keep-within", 0, OPTION_TEXT, FIELD(keep_within), N_("TIME"),
	N_("all within this before the newest: 7d, 1y6m")},
    {"from", 0, OPTION_TEXT, FIELD(from), N_("DIR"),
	N_("the directory of archives; default: backups"), WORD_ARCHIVES},
    {"lock-wait", 0, OPTION_TEXT, FIELD(lock_wait), N_("TIME"),
	N_("wait for another run: 90, 30s, 10m, 2h")},
    {0},
};

static const enum config_key keep_keys[RETENTION_PERIODS] = {
    [RETENTION_LAST] = CONFIG_KEEP_LAST,
    [RETENTION_HOURLY] = CONFIG_KEEP_HOURLY,
    [RETENTION_DAILY] = CONFIG_KEEP_DAILY,
    [RETENTION_WEEKLY] = CONFIG_KEEP_WEEKLY,
    [RETENTION_MONTHLY] = CONFIG_KEEP_MONTHLY,
    [RETENTION_YEARLY] = CONFIG_KEEP_YEARLY,
};

/* One rule typed, and those of the configuration do not count. */
static bool
any_typed(const struct prune_options *options)
{
	for (size_t i = 0; i < RETENTION_PERIODS; i++) {
		if (options->keep[i] != NULL)
			return true;
	}
	return options->keep_within != NULL;
}

/* The same checks as for a file. */
static int
parse_rules(const struct invocation *invocation, struct retention_rules *rules,
    struct error *err)
{
	const struct prune_options *options = invocation->options;
	bool typed = any_typed(options);
	const char *within =
	    typed ? options->keep_within
		  : config_text(invocation->config, CONFIG_KEEP_WITHIN);

	for (size_t i = 0; i < RETENTION_PERIODS; i++) {
		const char *text =
		    typed ? options->keep[i]
			  : config_text(invocation->config, keep_keys[i]);
		uint64_t count = 0;

		if (text == NULL)
			continue;
		if (config_check(keep_keys[i], text, err) < 0)
			return error_prefix(
			    err, "--%s", config_spec(keep_keys[i])->name);
		(void)text_parse_number(text, UINT32_MAX, &count);
		rules->counts[i] = (unsigned int)count;
	}
	if (within == NULL)
		return 0;
	if (config_check(CONFIG_KEEP_WITHIN, within, err) < 0)
		return error_prefix(err, "--keep-within");
	(void)duration_parse(within, &rules->within);
	return 0;
}

/* A manifest is anybody's text. */
static char *
show_whose(char buf[WHOSE_BYTES], const json_t *archive)
{
	struct error ignored = {0};
	auto_free char *raw = whose_backup(archive, &ignored);

	return text_escape(buf, WHOSE_BYTES, raw != NULL ? raw : "",
	    raw != NULL ? strlen(raw) : 0);
}

/* "keep    work/web  2026-11-30 02:00:03  12.3 MiB  daily, weekly" */
static void
tell(void *data, const json_t *archive)
{
	const struct invocation *invocation = data;
	const char *created = json_text(archive, "created_at");
	bool keep = json_flag(archive, "keep");
	char reasons[256] = "";
	char made[CLOCK_TEXT_BYTES] = "?";
	char size[TEXT_SIZE_BYTES];
	char whose[WHOSE_BYTES];
	const json_t *one;
	time_t when;
	size_t i;

	json_array_foreach(json_object_get(archive, "reasons"), i, one)
	{
		size_t used = strlen(reasons);

		(void)snprintf(reasons + used, sizeof(reasons) - used, "%s%s",
		    i > 0 ? ", " : "  ", _(json_string_value(one)));
	}
	if (created != NULL && clock_parse_rfc3339(created, &when))
		(void)clock_local(made, when);
	output_line(invocation->output, "%-8s %s  %s  %s%s",
	    keep ? _("keep") : _("remove"), show_whose(whose, archive), made,
	    text_show_size(size, (uint64_t)json_number(archive, "size_bytes")),
	    reasons);
	output_item(invocation->output, "archives",
	    json_incref((json_t *)(uintptr_t)archive));
}

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct prune_options *options = invocation->options;
	struct prune_request request = {
	    .words = invocation->arguments,
	    .word_count = invocation->argument_count,
	    .from = configured_from(invocation, options->from),
	    .project = invocation->global->project,
	    .require_mount =
		options->from == NULL
		    ? config_text(invocation->config, CONFIG_REQUIRE_MOUNT)
		    : NULL,
	    .timeout_s = invocation->timeout_s,
	    .dry_run = invocation->global->dry_run,
	    .judged = tell,
	    .data = (void *)(uintptr_t)invocation,
	};
	struct prune_result result = {0};
	auto_json json_t *fields = NULL;
	char size[TEXT_SIZE_BYTES];
	int status;

	if (lock_wait_parse(options->lock_wait, &request.lock_wait_ms, err) < 0)
		return -1;
	if (parse_rules(invocation, &request.rules, err) < 0)
		return -1;
	status =
	    prune(&request, output_watch(invocation->output), &result, err);
	if (result.kept + result.removed > 0)
		watch_note(output_watch(invocation->output),
		    request.dry_run
			? _("would keep %zu archives and remove %zu, %s")
			: _("kept %zu archives, removed %zu, %s"),
		    result.kept, result.removed,
		    text_show_size(size, result.removed_bytes));
	fields = json_pack("{s:I, s:I, s:I}", "kept", (json_int_t)result.kept,
	    "removed", (json_int_t)result.removed, "removed_bytes",
	    (json_int_t)result.removed_bytes);
	/* Without any, the array has not been begun. */
	if (result.kept + result.removed == 0)
		(void)json_object_set_new(fields, "archives", json_array());
	output_json(invocation->output, fields);
	return status;
}

const struct command backup_prune_command = {
    .words = "backup prune",
    .arguments = N_("[INSTANCE...]"),
    .summary = N_("remove old archives by rules, with the reason for each"),
    .details = N_("  Without any --keep option, the configuration's rules "
		  "count.\n"
		  "  Never removed: the newest that is intact, the newest that "
		  "was drilled, and\n"
		  "  both sides of a shrinkage that nobody has "
		  "acknowledged.\n"),
    .examples = "  anklume backup prune --keep-daily 7 --keep-weekly 5 "
		"--dry-run\n",
    .options = specs,
    .options_size = sizeof(struct prune_options),
    .configured = true,
    .arguments_max = ARGUMENTS_ANY,
    .argument_kinds = {WORD_ARCHIVED},
    .run = run,
};
