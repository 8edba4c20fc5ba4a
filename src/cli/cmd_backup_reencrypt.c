#include <stddef.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/configured.h"
#include "cli/output.h"
#include "transfer/reencrypt.h"

struct reencrypt_options {
	const char *from;
	struct option_list gpg;
};

#define FIELD(name) offsetof(struct reencrypt_options, name)

static const struct option_spec specs[] = {
    {"gpg", 0, OPTION_LIST, FIELD(gpg), N_("ID"),
	N_("encrypt to this key and no other; may be repeated")},
    {"from", 0, OPTION_TEXT, FIELD(from), N_("DIR"),
	N_("where BACKUP is looked for; default: backups"), WORD_ARCHIVES},
    {0},
};

/* One archive that is done; of several, one that is not. */
static void
tell(void *data, const json_t *result)
{
	const char *path = json_text(result, "path");
	char shown[4096];

	text_escape(shown, sizeof(shown), path, strlen(path));
	if (json_number(result, "status") == 0)
		output_line(data, _("reencrypted: %s"), shown);
	else
		output_line(
		    data, _("not done: %s"), json_text(result, "problem"));
}

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct reencrypt_options *options = invocation->options;
	struct reencrypt_request request = {
	    .which = {.words = invocation->arguments,
		.word_count = invocation->argument_count,
		.from = configured_from(invocation, options->from),
		.project = invocation->global->project},
	    .recipients = options->gpg.items,
	    .recipient_count = options->gpg.count,
	    .dry_run = invocation->global->dry_run,
	    .listener = {tell, invocation->output},
	};
	auto_json json_t *results = NULL;
	auto_json json_t *fields = NULL;
	int status;

	if (options->gpg.count == 0) {
		error_set(err, ERROR_USAGE, _("to which keys?"));
		return error_hint(err, "--gpg ID");
	}
	status = reencrypt_backups(
	    &request, output_watch(invocation->output), &results, err);
	fields = json_pack("{s:O}", "backups", results);
	output_json(invocation->output, fields);
	return status;
}

const struct command backup_reencrypt_command = {
    .words = "backup reencrypt",
    .arguments = N_("BACKUP..."),
    .summary = N_("encrypt backups to other keys, without a new export"),
    .details = N_("Copies elsewhere keep their keys; who had one of the old "
		  "keys may have read the backup.\n"),
    .examples = "  anklume backup list --recipient "
		"29188B0DA60A7B6D30BE05F9F6677C35EACCD880\n"
		"  anklume backup reencrypt web --gpg new@example.org --gpg "
		"safe@example.org\n",
    .options = specs,
    .options_size = sizeof(struct reencrypt_options),
    .configured = true,
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .argument_kinds = {WORD_BACKUP},
    .run = run,
};
