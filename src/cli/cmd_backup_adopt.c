#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "cli/command.h"
#include "cli/output.h"
#include "transfer/adopt.h"

struct adopt_options {
	struct option_list signed_by;
};

static const struct option_spec specs[] = {
    {"signed-by", 0, OPTION_LIST, offsetof(struct adopt_options, signed_by),
	N_("FPR"), N_("only what this key has signed (may be repeated)")},
    {0},
};

static void
print_adopted(struct output *output, const json_t *archives)
{
	const json_t *one;
	size_t i;

	json_array_foreach(archives, i, one)
	{
		if (strcmp(json_text(one, "state"), "adopted") == 0)
			output_line(output, "%s", json_text(one, "path"));
	}
}

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct adopt_options *options = invocation->options;
	struct adopt_request request = {
	    .directory = invocation->arguments[0],
	    .signature = {options->signed_by.items, options->signed_by.count,
		false},
	    .dry_run = invocation->global->dry_run,
	};
	auto_json json_t *archives = NULL;
	auto_json json_t *fields = NULL;
	int status = backup_adopt(
	    &request, output_watch(invocation->output), &archives, err);

	print_adopted(invocation->output, archives);
	fields = json_pack("{s:O?}", "archives", archives);
	output_json(invocation->output, fields);
	return status;
}

const struct command backup_adopt_command = {
    .words = "backup adopt",
    .arguments = N_("DIR"),
    .summary = N_("take archives as this host's own, after showing them"),
    .examples = "  anklume backup adopt /mnt/nas\n"
		"  anklume backup adopt /mnt/nas --yes --signed-by "
		"0123456789ABCDEF0123456789ABCDEF01234567\n",
    .options = specs,
    .options_size = sizeof(struct adopt_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .argument_kinds = {WORD_DIRECTORY},
    .run = run,
};
