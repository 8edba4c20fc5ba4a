#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "cli/command.h"
#include "cli/output.h"
#include "transfer/create.h"

/* Where backups go when nobody says otherwise. */
#define OUTPUT_DEFAULT "backups"

struct create_options {
	struct option_list gpg;
	const char *sign;
	const char *output;
	const char *compression;
	bool force;
	bool instance_only;
};

#define FIELD(name) offsetof(struct create_options, name)

static const struct option_spec specs[] = {
    {"gpg", 0, OPTION_LIST, FIELD(gpg), N_("ID"),
	N_("encrypt to this key (may be repeated)")},
    {"gpg-recipient", 0, OPTION_LIST, FIELD(gpg), N_("ID"), NULL},
    {"sign", 0, OPTION_TEXT, FIELD(sign), N_("ID"),
	N_("sign the manifest with this key")},
    {"output", 'o', OPTION_TEXT, FIELD(output), N_("DIR"),
	N_("where to put it (backups/), or - for standard output")},
    {"compression", 0, OPTION_TEXT, FIELD(compression), N_("HOW"),
	N_("none, gzip[:1-9] or zstd[:1-19]")},
    {"force", 0, OPTION_FLAG, FIELD(force), NULL,
	N_("replace an archive of the same name")},
    {"instance-only", 0, OPTION_FLAG, FIELD(instance_only), NULL,
	N_("without snapshots")},
    {0},
};

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct create_options *options = invocation->options;
	struct create_request request = {
	    .instance = invocation->arguments[0],
	    .project = invocation->project,
	    .timeout_s = invocation->timeout_s,
	    .recipients = options->gpg.items,
	    .recipient_count = options->gpg.count,
	    .signer = options->sign,
	    .output =
		options->output != NULL ? options->output : OUTPUT_DEFAULT,
	    .make_output = true,
	    .force = options->force,
	    .instance_only = options->instance_only,
	    .dry_run = invocation->global->dry_run,
	};
	struct create_result result = {0};
	auto_json json_t *fields = NULL;
	int status;

	if (compression_parse(
		options->compression != NULL ? options->compression : "gzip",
		&request.compression, err) < 0)
		return -1;
	if (strcmp(request.output, "-") == 0)
		output_reserve_stdout(invocation->output);

	status = create_backup(
	    &request, output_watch(invocation->output), &result, err);
	if (status == 0 && result.path != NULL)
		output_line(invocation->output, "%s", result.path);
	fields = json_pack(
	    "{s:s?, s:O?}", "path", result.path, "manifest", result.manifest);
	output_json(invocation->output, fields);
	create_result_clear(&result);
	return status;
}

const struct command backup_create_command = {
    .words = "backup create",
    .arguments = N_("INSTANCE"),
    .summary = N_("back an instance up, checked, compressed, encrypted"),
    .examples = "  anklume backup create web\n"
		"  anklume backup create work/web --gpg you@example.org "
		"--output /mnt/nas\n"
		"  anklume backup create web --output - | ssh nas 'cat > "
		"web.tar.gz'\n",
    .options = specs,
    .options_size = sizeof(struct create_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
