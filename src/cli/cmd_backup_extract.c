#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/configured.h"
#include "cli/output.h"
#include "transfer/copy.h"
#include "transfer/extract.h"

struct extract_options {
	const char *from;
	const char *snapshot;
	bool create_directories;
	bool no_clobber;
	bool keep_setuid;
	bool verify;
};

#define FIELD(name) offsetof(struct extract_options, name)

static const struct option_spec specs[] = {
    {"snapshot", 0, OPTION_TEXT, FIELD(snapshot), N_("NAME"),
	N_("of a snapshot in the archive, not of the instance itself"),
	WORD_ARCHIVED_SNAPSHOT},
    {"create-dirs", 'p', OPTION_FLAG, FIELD(create_directories), NULL,
	N_("make missing directories")},
    {"no-clobber", 0, OPTION_FLAG, FIELD(no_clobber), NULL,
	N_("never replace a file")},
    {"keep-setuid", 0, OPTION_FLAG, FIELD(keep_setuid), NULL,
	N_("keep setuid and setgid bits")},
    {"verify", 0, OPTION_FLAG, FIELD(verify), NULL,
	N_("prove first that the whole archive is intact")},
    {"from", 0, OPTION_TEXT, FIELD(from), N_("DIR"),
	N_("where BACKUP is looked for; default: backups"), WORD_ARCHIVES},
    {0},
};

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct extract_options *options = invocation->options;
	size_t last = invocation->argument_count - 1;
	const struct extract_request request = {
	    .backup = invocation->arguments[0],
	    .from = configured_from(invocation, options->from),
	    .project = invocation->project,
	    .snapshot = options->snapshot,
	    .paths = invocation->arguments + 1,
	    .path_count = last - 1,
	    .destination = invocation->arguments[last],
	    .timeout_s = invocation->timeout_s,
	    .create_directories = options->create_directories,
	    .no_clobber = options->no_clobber,
	    .keep_setuid = options->keep_setuid,
	    .verify = options->verify,
	    .dry_run = invocation->global->dry_run,
	};
	struct copy_result result = {0};
	auto_json json_t *fields = NULL;
	int status;

	if (strcmp(request.destination, "-") == 0)
		output_reserve_stdout(invocation->output);
	status = extract_files(
	    &request, output_watch(invocation->output), &result, err);
	fields = json_pack("{s:I, s:I, s:I, s:I, s:I}", "extracted",
	    (json_int_t)result.copied, "failed", (json_int_t)result.failed,
	    "skipped", (json_int_t)result.skipped, "kept",
	    (json_int_t)result.kept, "size_bytes",
	    (json_int_t)result.size_bytes);
	output_json(invocation->output, fields);
	return status;
}

const struct command backup_extract_command = {
    .words = "backup extract",
    .arguments = N_("BACKUP PATH... DST"),
    .summary = N_("take files out of a backup, to here or into an instance"),
    .details =
	N_("PATH is as seen in the instance, a directory with all that is in "
	   "it. The archive is\nread no further than needed, and then not "
	   "proven to be intact.\n"),
    .examples = "  anklume backup extract web /etc/hosts web:/etc/hosts\n"
		"  anklume backup extract web@yesterday /srv/www /home .\n"
		"  anklume backup extract web /var/log/syslog - | less\n",
    .options = specs,
    .options_size = sizeof(struct extract_options),
    .configured = true,
    .arguments_min = 3,
    .arguments_max = ARGUMENTS_ANY,
    .argument_kinds = {WORD_BACKUP, WORD_ARCHIVED_FILE, WORD_LOCATION},
    .run = run,
};
