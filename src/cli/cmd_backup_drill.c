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
#include "transfer/drill.h"

struct drill_options {
	const char *from;
	const char *oldest;
	const char *storage;
};

#define FIELD(name) offsetof(struct drill_options, name)

static const struct option_spec specs[] = {
    {"oldest", 0, OPTION_TEXT, FIELD(oldest), N_("N"),
	N_("only the N that were drilled the longest ago, or never")},
    {"storage", 's', OPTION_TEXT, FIELD(storage), N_("POOL"),
	N_("restore into this storage pool"), WORD_POOL},
    {"from", 0, OPTION_TEXT, FIELD(from), N_("DIR"),
	N_("where BACKUP is looked for; default: backups"), WORD_ARCHIVES},
    {0},
};

static void
tell_without(struct output *output, const json_t *result)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(result, "without"), i, one)
	{
		char shown[512];

		text_escape(shown, sizeof(shown), json_string_value(one),
		    json_string_length(one));
		output_line(output, _("  tested without %s"), shown);
	}
}

/* One archive, as soon as it is known. */
static void
tell(void *data, const json_t *result)
{
	const char *path = json_text(result, "path");
	const char *checked = json_text(result, "checked");
	char shown[4096];
	char how[512];

	if (json_number(result, "status") != 0) {
		output_line(
		    data, _("failed: %s"), json_text(result, "problem"));
		return;
	}
	text_escape(shown, sizeof(shown), path, strlen(path));
	text_escape(how, sizeof(how), checked, strlen(checked));
	output_line(data, _("runs: %s (checked: %s, after %.1f s)"), shown, how,
	    json_real_value(json_object_get(result, "seconds")));
	tell_without(data, result);
}

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct drill_options *options = invocation->options;
	struct drill_request request = {
	    .which = {.words = invocation->arguments,
		.word_count = invocation->argument_count,
		.from = configured_from(invocation, options->from),
		.project = invocation->global->project},
	    .storage = options->storage,
	    .timeout_s = invocation->timeout_s,
	    .dry_run = invocation->global->dry_run,
	    .listener = {tell, invocation->output},
	};
	auto_json json_t *results = NULL;
	auto_json json_t *fields = NULL;
	int status;

	if (backup_oldest_parse(options->oldest, &request.which.oldest, err) <
	    0)
		return -1;
	/* A directory full of clones is not what anybody wants by chance. */
	if (request.which.word_count == 0 && request.which.oldest == 0) {
		error_set(err, ERROR_USAGE, _("which backup?"));
		return error_hint(err, "anklume backup drill --oldest 1");
	}
	status = drill_backups(
	    &request, output_watch(invocation->output), &results, err);
	fields = json_pack("{s:O}", "backups", results);
	output_json(invocation->output, fields);
	return status;
}

const struct command backup_drill_command = {
    .words = "backup drill",
    .arguments = N_("[BACKUP...]"),
    .summary = N_("restore backups where nobody uses them: do they run?"),
    .details =
	N_("The clone has its root disk and nothing else: no network, no "
	   "volume, no path of\nthe host. It is healthy when the command in "
	   "its key user.anklume.drill succeeds,\nor, without one, when it "
	   "runs for some seconds; then everything is taken away.\n"),
    .examples = "  anklume backup drill web\n"
		"  anklume backup drill --oldest 1 --from /srv/backups\n",
    .options = specs,
    .options_size = sizeof(struct drill_options),
    .configured = true,
    .arguments_min = 0,
    .arguments_max = ARGUMENTS_ANY,
    .argument_kinds = {WORD_BACKUP},
    .run = run,
};
