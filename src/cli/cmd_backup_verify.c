#include <stddef.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/backup_oldest.h"
#include "cli/command.h"
#include "cli/configured.h"
#include "cli/output.h"
#include "transfer/origin.h"
#include "transfer/verify.h"

struct verify_options {
	const char *from;
	const char *level;
	const char *oldest;
};

#define FIELD(name) offsetof(struct verify_options, name)

static const struct option_spec specs[] = {
    {"level", 0, OPTION_TEXT, FIELD(level), N_("LEVEL"),
	N_("digest (needs no key) or content, the default"), WORD_CHOICE,
	"digest content"},
    {"oldest", 0, OPTION_TEXT, FIELD(oldest), N_("N"),
	N_("only the N that were verified the longest ago, or never")},
    {"from", 0, OPTION_TEXT, FIELD(from), N_("DIR"),
	N_("where BACKUP is looked for; default: backups"), WORD_ARCHIVES},
    {0},
};

static int
parse_level(const char *text, enum verify_level *ret_level, struct error *err)
{
	*ret_level = VERIFY_CONTENT;
	if (text == NULL || strcmp(text, "content") == 0)
		return 0;
	if (strcmp(text, "digest") != 0)
		return error_set(err, ERROR_USAGE,
		    _("unknown level '%s': digest or content"), text);
	*ret_level = VERIFY_DIGEST;
	return 0;
}

/* One archive, as soon as it is known. */
static void
tell(void *data, const json_t *result)
{
	const char *path = json_text(result, "path");
	const char *state = json_text(result, "result");
	const char *problem = json_text(result, "problem");
	char shown[4096];
	char origin[ORIGIN_SHOWN_BYTES];

	text_escape(shown, sizeof(shown), path, strlen(path));
	if (strcmp(state, "intact") == 0)
		output_line(data, _("intact: %s (origin: %s)"), shown,
		    origin_show(origin, json_text(result, "origin")));
	else if (strcmp(state, "damaged") == 0)
		output_line(data, _("damaged: %s"), problem);
	else
		output_line(data, _("not verified: %s"), problem);
}

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct verify_options *options = invocation->options;
	struct verify_request request = {
	    .which = {.words = invocation->arguments,
		.word_count = invocation->argument_count,
		.from = configured_from(invocation, options->from),
		.project = invocation->global->project},
	    .dry_run = invocation->global->dry_run,
	    .listener = {tell, invocation->output},
	};
	auto_json json_t *results = NULL;
	auto_json json_t *fields = NULL;
	int status;

	if (parse_level(options->level, &request.level, err) < 0 ||
	    backup_oldest_parse(options->oldest, &request.which.oldest, err) <
		0)
		return -1;
	status = verify_backups(
	    &request, output_watch(invocation->output), &results, err);
	fields = json_pack("{s:O}", "backups", results);
	output_json(invocation->output, fields);
	return status;
}

const struct command backup_verify_command = {
    .words = "backup verify",
    .arguments = N_("[BACKUP...]"),
    .summary = N_("read backups to their end: are they intact?"),
    .details = N_("Without BACKUP, all in the directory. The result is "
		  "remembered, with its date.\n"),
    .examples = "  anklume backup verify web@yesterday\n"
		"  anklume backup verify --level digest --from /srv/backups\n"
		"  anklume backup verify --oldest 3\n",
    .options = specs,
    .options_size = sizeof(struct verify_options),
    .configured = true,
    .arguments_min = 0,
    .arguments_max = ARGUMENTS_ANY,
    .argument_kinds = {WORD_BACKUP},
    .run = run,
};
