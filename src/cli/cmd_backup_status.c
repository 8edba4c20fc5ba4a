#include <stddef.h>
#include <string.h>

#include "base/duration.h"
#include "base/error.h"
#include "base/i18n.h"
#include "cli/command.h"
#include "cli/configured.h"
#include "cli/output.h"
#include "cli/status_format.h"
#include "transfer/status.h"

struct status_options {
	const char *from;
	const char *format;
	const char *max_age;
	const char *max_age_verified;
	const char *max_age_drilled;
};

#define FIELD(name) offsetof(struct status_options, name)

static const struct option_spec specs[] = {
    {"from", 0, OPTION_TEXT, FIELD(from), N_("DIR"),
	N_("the directory of archives; default: backups"), WORD_ARCHIVES},
    {"format", 0, OPTION_TEXT, FIELD(format), N_("HOW"),
	N_("table, json, nagios, prometheus or html"), WORD_CHOICE,
	"table json nagios prometheus html"},
    {"max-age", 0, OPTION_TEXT, FIELD(max_age), N_("TIME"),
	N_("an older backup is late (2d)")},
    {"max-age-verified", 0, OPTION_TEXT, FIELD(max_age_verified), N_("TIME"),
	N_("so long ago one was verified, or it is late")},
    {"max-age-drilled", 0, OPTION_TEXT, FIELD(max_age_drilled), N_("TIME"),
	N_("and drilled")},
    {0},
};

static int
parse_limit(const struct invocation *invocation, const char *typed,
    enum config_key key, struct status_limit *limit, struct error *err)
{
	const char *text = configured_text(invocation, typed, key);

	if (text == NULL)
		return 0;
	limit->set = duration_parse(text, &limit->age);
	if (limit->set)
		return 0;
	return error_set(err, ERROR_USAGE,
	    _("'%s' is no length of time: 36h, 8d, 1y6m"), text);
}

/* Whether it is one of those that --format knows. */
static int
check_format(const char *format, struct error *err)
{
	static const char *const known[] = {
	    "table", "json", "nagios", "prometheus", "html"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(format, known[i]) == 0)
			return 0;
	}
	error_set(err, ERROR_USAGE, _("unknown format '%s'"), format);
	return error_hint(
	    err, _("one of: %s"), "table, json, nagios, prometheus, html");
}

static int
judge(const struct status_result *status, struct error *err)
{
	if (status->wanting == 0)
		return 0;
	return error_set(err, ERROR_PARTIAL,
	    _("%zu of %zu instances are late, or something is doubtful"),
	    status->wanting, status->count);
}

static int
print(const struct invocation *invocation, const char *format,
    const struct status_result *status, struct error *err)
{
	struct output *output = invocation->output;

	if (strcmp(format, "nagios") == 0) {
		output_set_status(output, status_print_nagios(output, status));
		return 0;
	}
	if (strcmp(format, "prometheus") == 0)
		status_print_prometheus(output, status);
	else if (strcmp(format, "html") == 0) {
		if (status_print_html(output, status, err) < 0)
			return -1;
	} else if (status_print_table(output, status, err) < 0) {
		return -1;
	}
	return judge(status, err);
}

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct status_options *options = invocation->options;
	const char *format =
	    options->format != NULL ? options->format : "table";
	struct status_request request = {
	    .from = configured_from(invocation, options->from),
	    .project = invocation->global->project,
	    .timeout_s = invocation->timeout_s,
	};
	struct status_result status = {0};
	auto_json json_t *fields = NULL;
	int result;

	if (check_format(format, err) < 0 ||
	    parse_limit(invocation, options->max_age, CONFIG_MAX_AGE,
		&request.backup, err) < 0 ||
	    parse_limit(invocation, options->max_age_verified,
		CONFIG_MAX_AGE_VERIFIED, &request.verified, err) < 0 ||
	    parse_limit(invocation, options->max_age_drilled,
		CONFIG_MAX_AGE_DRILLED, &request.drilled, err) < 0)
		return -1;
	if (strcmp(format, "json") == 0)
		output_force_json(invocation->output);
	if (backup_status(&request, &status, err) < 0)
		return -1;
	fields = json_pack("{s:I, s:I, s:O}", "count", (json_int_t)status.count,
	    "wanting", (json_int_t)status.wanting, "instances",
	    status.instances);
	output_json(invocation->output, fields);
	result = output_is_json(invocation->output)
		     ? judge(&status, err)
		     : print(invocation, format, &status, err);
	status_result_clear(&status);
	return result;
}

const struct command backup_status_command = {
    .words = "backup status",
    .summary = N_("how well each instance is backed up: age, size, proofs"),
    .details =
	N_("  Ends with 3 when something is late or doubtful; with --format "
	   "nagios, as its\n"
	   "  plugins do: 0, 1 (warning) or 2 (critical).\n"),
    .examples = "  anklume backup status\n"
		"  anklume backup status --format html > status.html\n",
    .options = specs,
    .options_size = sizeof(struct status_options),
    .configured = true,
    .run = run,
};
