#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/configured.h"
#include "cli/output.h"
#include "transfer/create.h"

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
	N_("where to put it (backups/), or - for standard output")},
    {"compression", 0, OPTION_TEXT, FIELD(compression), N_("HOW"),
	N_("none, gzip[:1-9] or zstd[:1-19]")},
    {"consistency", 0, OPTION_TEXT, FIELD(consistency), N_("HOW"),
	N_("auto, live, or freeze: what runs meanwhile")},
    {"freeze-limit", 0, OPTION_TEXT, FIELD(freeze_limit), N_("SECONDS"),
	N_("frozen no longer than this (3600)")},
    {"force", 0, OPTION_FLAG, FIELD(force), NULL,
	N_("replace an archive of the same name")},
    {"instance-only", 0, OPTION_FLAG, FIELD(instance_only), NULL,
	N_("without snapshots")},
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
run(const struct invocation *invocation, struct error *err)
{
	const struct create_options *options = invocation->options;
	const struct option_list gpg = recipients(invocation);
	struct create_request request = {
	    .instance = invocation->arguments[0],
	    .project = invocation->project,
	    .timeout_s = invocation->timeout_s,
	    .recipients = gpg.items,
	    .recipient_count = gpg.count,
	    .signer = options->sign,
	    .output =
		configured_text(invocation, options->output, CONFIG_OUTPUT),
	    /* One of the configuration's may be a disk that is not there. */
	    .make_output = options->output != NULL ||
			   !config_is_set(invocation->config, CONFIG_OUTPUT),
	    .force = options->force,
	    .instance_only = options->instance_only,
	    .dry_run = invocation->global->dry_run,
	};
	struct create_result result = {0};
	auto_json json_t *fields = NULL;
	int status;

	if (check_encryption(options, err) < 0 ||
	    compression_parse(configured_text(invocation, options->compression,
				  CONFIG_COMPRESSION),
		&request.compression, err) < 0 ||
	    parse_consistency(invocation, &request, err) < 0)
		return -1;
	if (strcmp(request.output, "-") == 0)
		output_reserve_stdout(invocation->output);
	else if (request.signer == NULL)
		request.signer = config_text(invocation->config, CONFIG_SIGN);

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
    .configured = true,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
