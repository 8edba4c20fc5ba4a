#include <limits.h>
#include <stddef.h>

#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/configured.h"
#include "cli/output.h"
#include "transfer/ack.h"

struct ack_options {
	const char *from;
};

static const struct option_spec specs[] = {
    {"from", 0, OPTION_TEXT, offsetof(struct ack_options, from), N_("DIR"),
	N_("the directory of archives; default: backups"), WORD_ARCHIVES},
    {0},
};

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct ack_options *options = invocation->options;
	const struct ack_request request = {
	    .words = invocation->arguments,
	    .word_count = invocation->argument_count,
	    .from = configured_from(invocation, options->from),
	    .project = invocation->global->project,
	    .dry_run = invocation->global->dry_run,
	};
	auto_json json_t *paths = NULL;
	auto_json json_t *fields = NULL;
	char shown[4 * PATH_MAX];
	const json_t *path;
	size_t i;

	if (backup_ack(&request, &paths, err) < 0)
		return -1;
	json_array_foreach(paths, i, path)
	{
		text_escape(shown, sizeof(shown), json_string_value(path),
		    json_string_length(path));
		output_line(invocation->output, "%s", shown);
	}
	fields = json_pack("{s:O}", "paths", paths);
	output_json(invocation->output, fields);
	return 0;
}

const struct command backup_ack_command = {
    .words = "backup ack",
    .arguments = N_("INSTANCE[@TIME]..."),
    .summary = N_("say that a backup which shrank is as it should be"),
    .examples = "  anklume backup ack work/web\n",
    .options = specs,
    .options_size = sizeof(struct ack_options),
    .configured = true,
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .argument_kinds = {WORD_ARCHIVED},
    .run = run,
};
