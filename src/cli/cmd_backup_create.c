#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/configured.h"
#include "cli/lock_wait.h"
#include "cli/output.h"
#include "transfer/configuration_keys.h"
#include "transfer/create.h"
#include "transfer/create_many.h"

/* What stands still so long has failed for its users. */
#define FREEZE_LIMIT_DEFAULT_S 3600
#define FREEZE_LIMIT_MAX_S (7 * 24 * 60 * 60)

struct create_options {
	struct option_list gpg;
	bool no_gpg;
	const char *sign;
	const char *output;
	const char *compression;
	const char *consistency;
	const char *freeze_limit;
	const char *volumes;
	struct option_list exclude;
	const char *member;
	const char *jobs;
	const char *lock_wait;
	const char *bwlimit;
	bool all;
	bool force;
	bool instance_only;
};

#define FIELD(name) offsetof(struct create_options, name)

static const struct option_spec specs[] = {
    {"gpg", 0, OPTION_LIST, FIELD(gpg), N_("ID"),
	N_("encrypt to this key (may be repeated)")},
    {"gpg-recipient", 0, OPTION_LIST, FIELD(gpg), N_("ID"), NULL},
    {"no-gpg", 0, OPTION_FLAG, FIELD(no_gpg), NULL,
	N_("do not encrypt, whatever the configuration says")},
    {"sign", 0, OPTION_TEXT, FIELD(sign), N_("ID"),
	N_("sign the manifest with this key")},
    {"output", 'o', OPTION_TEXT, FIELD(output), N_("DIR"),
	N_("where to put it (backups/), or - for standard output"),
	WORD_DIRECTORY},
    {"compression", 0, OPTION_TEXT, FIELD(compression), N_("HOW"),
	N_("none, gzip[:1-9] or zstd[:1-19]"), WORD_CHOICE, "none gzip zstd"},
    {"consistency", 0, OPTION_TEXT, FIELD(consistency), N_("HOW"),
	N_("auto, live, or freeze: what runs meanwhile"), WORD_CHOICE,
	"auto live freeze"},
    {"freeze-limit", 0, OPTION_TEXT, FIELD(freeze_limit), N_("SECONDS"),
	N_("frozen no longer than this (3600)")},
    {"volumes", 0, OPTION_TEXT, FIELD(volumes), N_("WHICH"),
	N_("attached (custom volumes, too), or none"), WORD_CHOICE,
	"attached none"},
    {"force", 0, OPTION_FLAG, FIELD(force), NULL,
	N_("replace an archive of the same name")},
    {"instance-only", 0, OPTION_FLAG, FIELD(instance_only), NULL,
	N_("without snapshots")},
    {"all", 0, OPTION_FLAG, FIELD(all), NULL,
	N_("every instance; with --project, those of one project")},
    {"exclude", 0, OPTION_LIST, FIELD(exclude), N_("GLOB"),
	N_("but none of these (may be repeated)"), WORD_INSTANCE},
    {"member", 0, OPTION_TEXT, FIELD(member), N_("M"),
	N_("of a cluster, what runs there; self: the one that is asked"),
	WORD_CHOICE, "self"},
    {"jobs", 0, OPTION_TEXT, FIELD(jobs), N_("N"), N_("so many at once")},
    {"lock-wait", 0, OPTION_TEXT, FIELD(lock_wait), N_("TIME"),
	N_("wait for another run: 90, 30s, 10m, 2h")},
    {"bwlimit", 0, OPTION_TEXT, FIELD(bwlimit), N_("RATE"),
	N_("bytes per second: 500K, 10M, 1G")},
    {0},
};

static int
parse_consistency(const struct invocation *invocation,
    struct create_request *request, struct error *err)
{
	const struct create_options *options = invocation->options;
	uint64_t limit_s = FREEZE_LIMIT_DEFAULT_S;

	if (options->freeze_limit != NULL &&
	    (!text_parse_number(
		 options->freeze_limit, FREEZE_LIMIT_MAX_S, &limit_s) ||
		limit_s == 0))
		return error_set(err, ERROR_USAGE,
		    _("--freeze-limit wants seconds, 1 to %d, not '%s'"),
		    FREEZE_LIMIT_MAX_S, options->freeze_limit);
	request->freeze_limit_s = (int)limit_s;
	return consistency_parse(configured_text(invocation,
				     options->consistency, CONFIG_CONSISTENCY),
	    &request->consistency, err);
}

/* Who can read it; a configuration that encrypts is the rule. */
static struct option_list
recipients(const struct invocation *invocation)
{
	const struct create_options *options = invocation->options;

	if (options->no_gpg)
		return (struct option_list){0};
	return configured_list(invocation, &options->gpg, CONFIG_GPG);
}

static int
check_encryption(const struct create_options *options, struct error *err)
{
	if (!options->no_gpg || options->gpg.count == 0)
		return 0;
	return error_set(
	    err, ERROR_USAGE, _("--gpg and --no-gpg exclude each other"));
}

static int
parse_limits(const struct invocation *invocation,
    struct create_request *request, struct error *err)
{
	const struct create_options *options = invocation->options;
	uint64_t shrink = 0;

	if (lock_wait_parse(options->lock_wait, &request->lock_wait_ms, err) <
	    0)
		return -1;
	(void)config_number(invocation->config, CONFIG_SHRINK_WARNING, &shrink);
	request->shrink_percent = (unsigned int)shrink;
	if (options->bwlimit == NULL) {
		(void)config_number(
		    invocation->config, CONFIG_BWLIMIT, &request->bytes_per_s);
		return 0;
	}
	if (!text_parse_rate(options->bwlimit, &request->bytes_per_s))
		return error_set(err, ERROR_USAGE,
		    _("--bwlimit wants bytes per second such as 500K, 10M or "
		      "1G, not '%s'"),
		    options->bwlimit);
	return 0;
}

/* A key that means what this version cannot do: to pass over it in silence
 * would be a backup that is missed one day. */
static int
check_possible(const struct invocation *invocation, struct error *err)
{
	if (!config_is_set(invocation->config, CONFIG_REPOSITORY))
		return 0;
	return error_set(err, ERROR_USAGE,
	    _("a repository is configured, and this version writes to none"));
}

/* Standard output has room for one archive: only who asks for more is told. */
static int
parse_volumes(const struct invocation *invocation,
    struct create_request *request, struct error *err)
{
	const struct create_options *options = invocation->options;
	const char *which =
	    configured_text(invocation, options->volumes, CONFIG_VOLUMES);

	request->volumes = strcmp(which, "attached") == 0;
	if (!request->volumes && strcmp(which, "none") != 0)
		return error_set(err, ERROR_USAGE,
		    _("--volumes wants attached or none, not '%s'"), which);
	if (request->volumes && options->volumes != NULL &&
	    strcmp(request->output, "-") == 0)
		return error_set(err, ERROR_USAGE,
		    _("several backups cannot go to standard output"));
	return 0;
}

static int
fill_request(const struct invocation *invocation,
    struct create_request *ret_request, struct error *err)
{
	const struct create_options *options = invocation->options;

	*ret_request = (struct create_request){
	    .project = invocation->project,
	    .timeout_s = invocation->timeout_s,
	    .signer = options->sign,
	    .output =
		configured_text(invocation, options->output, CONFIG_OUTPUT),
	    /* One of the configuration's may be a disk that is not there. */
	    .make_output = options->output != NULL ||
			   !config_is_set(invocation->config, CONFIG_OUTPUT),
	    .require_mount =
		options->output == NULL
		    ? config_text(invocation->config, CONFIG_REQUIRE_MOUNT)
		    : NULL,
	    .force = options->force,
	    .instance_only = options->instance_only,
	    .dry_run = invocation->global->dry_run,
	};
	if (strcmp(ret_request->output, "-") == 0)
		output_reserve_stdout(invocation->output);
	else if (ret_request->signer == NULL)
		ret_request->signer =
		    config_text(invocation->config, CONFIG_SIGN);
	if (check_possible(invocation, err) < 0 ||
	    check_encryption(options, err) < 0 ||
	    compression_parse(configured_text(invocation, options->compression,
				  CONFIG_COMPRESSION),
		&ret_request->compression, err) < 0 ||
	    parse_consistency(invocation, ret_request, err) < 0 ||
	    parse_volumes(invocation, ret_request, err) < 0)
		return -1;
	return parse_limits(invocation, ret_request, err);
}

static int
run_one(const struct invocation *invocation,
    const struct create_request *request, struct error *err)
{
	struct create_result result = {0};
	auto_json json_t *fields = NULL;
	int status = create_backup(
	    request, output_watch(invocation->output), &result, err);

	if (status == 0 && result.path != NULL)
		output_line(invocation->output, "%s", result.path);
	fields = json_pack(
	    "{s:s?, s:O?}", "path", result.path, "manifest", result.manifest);
	output_json(invocation->output, fields);
	create_result_clear(&result);
	return status;
}

/* One of several is done: where it lies, and how it went. */
static void
tell_done(void *data, const json_t *result)
{
	struct output *output = data;
	const struct watch *watch = output_watch(output);
	const char *project = json_text(result, "project");
	const char *volume = json_text(result, "volume");
	const char *name =
	    volume != NULL ? volume : json_text(result, "instance");
	char size[TEXT_SIZE_BYTES];

	if (json_number(result, "status") != 0) {
		watch_note(watch, _("%s/%s failed: %s"), project, name,
		    json_text(result, "error"));
		return;
	}
	output_line(output, "%s", json_text(result, "path"));
	watch_note(watch, _("%s/%s: %s in %.1f s"), project, name,
	    text_show_size(size, (uint64_t)json_number(result, "size_bytes")),
	    (double)json_number(result, "duration_ms") / 1000);
}

static void
tell_sum(const struct invocation *invocation, const json_t *backups)
{
	char size[TEXT_SIZE_BYTES];
	uint64_t bytes = 0;
	size_t done = 0;
	const json_t *one;
	size_t i;

	json_array_foreach(backups, i, one)
	{
		done += json_number(one, "status") == 0;
		bytes += (uint64_t)json_number(one, "size_bytes");
	}
	if (json_array_size(backups) > 0)
		watch_note(output_watch(invocation->output),
		    _("%zu of %zu backups made, %s"), done,
		    json_array_size(backups), text_show_size(size, bytes));
}

static int
parse_jobs(
    const struct invocation *invocation, size_t *ret_jobs, struct error *err)
{
	const struct create_options *options = invocation->options;
	const char *text =
	    configured_text(invocation, options->jobs, CONFIG_JOBS);
	uint64_t jobs = 0;

	if (text != NULL &&
	    (!text_parse_number(text, CONFIG_JOBS_MAX, &jobs) || jobs == 0))
		return error_set(err, ERROR_USAGE,
		    _("--jobs wants a number from 1 to %d, not '%s'"),
		    CONFIG_JOBS_MAX, text);
	*ret_jobs = (size_t)jobs;
	return 0;
}

static int
run_many(const struct invocation *invocation, const struct create_request *each,
    struct error *err)
{
	const struct create_options *options = invocation->options;
	struct create_many_request request = {
	    .each = *each,
	    .choice = {.words = invocation->arguments,
		.word_count = invocation->argument_count,
		.all = options->all,
		.excluded = options->exclude.items,
		.excluded_count = options->exclude.count,
		.within = invocation->global->project,
		.project = invocation->project,
		.member = options->member},
	    .done = tell_done,
	    .data = invocation->output,
	};
	struct create_many_result result = {0};
	auto_json json_t *fields = NULL;
	int status;

	if (parse_jobs(invocation, &request.jobs, err) < 0)
		return -1;
	status = create_many(
	    &request, output_watch(invocation->output), &result, err);
	tell_sum(invocation, result.backups);
	fields = json_pack("{s:O?, s:O?}", "backups", result.backups,
	    "left_out", result.left_out);
	output_json(invocation->output, fields);
	create_many_result_clear(&result);
	return status;
}

/* Options that choose among several go with nothing else. */
static int
check_choice(const struct invocation *invocation, bool many, struct error *err)
{
	const struct create_options *options = invocation->options;

	if (options->all && invocation->argument_count > 0)
		return error_set(err, ERROR_USAGE,
		    _("--all is every instance: '%s' is one word too many"),
		    invocation->arguments[0]);
	if (!options->all && invocation->argument_count == 0) {
		error_set(err, ERROR_USAGE, _("which instance?"));
		return error_hint(err, "anklume backup create --all");
	}
	if (many && options->output != NULL &&
	    strcmp(options->output, "-") == 0) {
		error_set(err, ERROR_USAGE,
		    _("several backups cannot go to standard output"));
		return error_hint(err, "-o DIR");
	}
	if (!many && (options->exclude.count > 0 || options->jobs != NULL ||
			 options->member != NULL))
		return error_set(err, ERROR_USAGE,
		    _("--exclude, --member and --jobs choose among several "
		      "instances"));
	return 0;
}

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct create_options *options = invocation->options;
	const struct option_list gpg = recipients(invocation);
	bool many = options->all || invocation->argument_count > 1 ||
		    (invocation->argument_count == 1 &&
			create_choice_is_pattern(invocation->arguments[0]));
	struct create_request request;

	if (check_choice(invocation, many, err) < 0 ||
	    fill_request(invocation, &request, err) < 0)
		return -1;
	request.recipients = gpg.items;
	request.recipient_count = gpg.count;
	if (many)
		return run_many(invocation, &request, err);
	request.instance = invocation->arguments[0];
	return run_one(invocation, &request, err);
}

const struct command backup_create_command = {
    .words = "backup create",
    .arguments = N_("INSTANCE..."),
    .summary = N_("back instances up, checked, compressed, encrypted"),
    .examples = "  anklume backup create web\n"
		"  anklume backup create work/web --gpg you@example.org "
		"--output /mnt/nas\n"
		"  anklume backup create web --output - | ssh nas 'cat > "
		"web.tar.gz'\n"
		"  anklume backup create 'tp-*/web' mail -o /srv/backups\n"
		"  anklume backup create --all --exclude 'lab/*'\n",
    .options = specs,
    .options_size = sizeof(struct create_options),
    .configured = true,
    .arguments_max = ARGUMENTS_ANY,
    .argument_kinds = {WORD_INSTANCE},
    .run = run,
};
