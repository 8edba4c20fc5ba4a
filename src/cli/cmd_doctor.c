#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/output.h"
#include "transfer/doctor.h"
#include "transfer/findings.h"

struct doctor_options {
	bool fix;
};

static const struct option_spec specs[] = {
    {"fix", 0, OPTION_FLAG, offsetof(struct doctor_options, fix), NULL,
	N_("take away what runs that were killed have left")},
    {0},
};

static const char *const formats[FINDING_LEVELS] = {
    [FINDING_OK] = N_("fine: %s (%s)"),
    [FINDING_FIXED] = N_("fixed: %s (%s)"),
    [FINDING_NOTE] = N_("note: %s (%s)"),
    [FINDING_UNKNOWN] = N_("unknown: %s (%s)"),
    [FINDING_PROBLEM] = N_("problem: %s (%s)"),
};

/* What is not asked for is counted only. */
static bool
is_shown(const struct global_options *global, enum finding_level level)
{
	if (level == FINDING_OK)
		return global->verbose;
	return !global->quiet || level != FINDING_NOTE;
}

static void
print_finding(
    const struct invocation *invocation, const struct finding *finding)
{
	const char *line = finding->hint;

	if (!is_shown(invocation->global, finding->level))
		return;
	output_line(invocation->output, _(formats[finding->level]),
	    finding->text, finding->id);
	while (*line != '\0') {
		size_t length = strcspn(line, "\n");

		output_line(invocation->output, "  %.*s", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

static void
on_finding(void *data, const struct finding *finding)
{
	const struct invocation *invocation = data;

	print_finding(invocation, finding);
	output_item(invocation->output, "findings",
	    json_pack("{s:s, s:s, s:s, s:s}", "id", finding->id, "level",
		finding_level_name(finding->level), "text", finding->text,
		"hint", finding->hint));
}

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct doctor_options *options = invocation->options;
	const struct doctor_request request = {
	    .fix = options->fix,
	    .dry_run = invocation->global->dry_run,
	    .timeout_s = invocation->timeout_s,
	};
	struct invocation copy = *invocation;
	struct findings findings = {.told = on_finding, .data = &copy};
	int status = doctor_look(&request, &findings, err);

	if (!invocation->global->verbose && !invocation->global->quiet)
		output_line(invocation->output, _("fine: %zu"),
		    findings.counts[FINDING_OK]);
	return status;
}

const struct command doctor_command = {
    .words = "doctor",
    .summary = N_("what would go wrong, before it does"),
    .details = N_("The daemon, its spool, gpg and keys, policy, output, and "
		  "what killed runs left.\n"
		  "Ends with status 3 when there is a problem."),
    .examples = "  anklume doctor\n"
		"  anklume doctor --fix\n",
    .options = specs,
    .options_size = sizeof(struct doctor_options),
    .run = run,
};
