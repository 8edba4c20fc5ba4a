#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/configured.h"
#include "cli/output.h"
#include "cli/restore_all_command.h"
#include "transfer/restore.h"

struct restore_options {
	const char *file;
	const char *from;
	const char *name;
	const char *storage;
	struct option_list signed_by;
	struct option_list allow;
	bool allow_unsafe;
	bool require_signature;
	bool force;
	bool start;
	bool keep_identity;
	bool create_missing;
	bool all;
	const char *at;
	const char *server;
};

#define FIELD(name) offsetof(struct restore_options, name)

static const struct option_spec specs[] = {
    {"file", 0, OPTION_TEXT, FIELD(file), N_("FILE"),
	N_("the archive, or - for standard input"), WORD_FILE},
    {"from", 0, OPTION_TEXT, FIELD(from), N_("DIR"),
	N_("where BACKUP is looked for; default: backups"), WORD_ARCHIVES},
    {"name", 0, OPTION_TEXT, FIELD(name), N_("NAME"),
	N_("restore under this name")},
    {"storage", 's', OPTION_TEXT, FIELD(storage), N_("POOL"),
	N_("restore into this storage pool"), WORD_POOL},
    {"allow", 0, OPTION_LIST, FIELD(allow), N_("KEY,..."),
	N_("let these keys through, although they reach for the host")},
    {"allow-unsafe", 0, OPTION_FLAG, FIELD(allow_unsafe), NULL,
	N_("let all of them through")},
    {"signed-by", 0, OPTION_LIST, FIELD(signed_by), N_("FPR"),
	N_("only when this key has signed it, and then trust what it says")},
    {"require-signature", 0, OPTION_FLAG, FIELD(require_signature), NULL,
	N_("only when a key of the keyring has signed it")},
    {"force", 0, OPTION_FLAG, FIELD(force), NULL,
	N_("replace the instance of that name")},
    {"start", 0, OPTION_FLAG, FIELD(start), NULL,
	N_("start it when it is there")},
    {"keep-identity", 0, OPTION_FLAG, FIELD(keep_identity), NULL,
	N_("keep MAC addresses and UUID beside the original")},
    {"create-missing", 0, OPTION_FLAG, FIELD(create_missing), NULL,
	N_("make a missing project and profiles, as the archive has them")},
    {"all", 0, OPTION_FLAG, FIELD(all), NULL,
	N_("the newest of every instance that does not exist")},
    {"at", 0, OPTION_TEXT, FIELD(at), N_("TIME"),
	N_("with --all, as things were then")},
    {"server", 0, OPTION_TEXT, FIELD(server), N_("NAME"),
	N_("with --all, whose archives")},
    {0},
};

/* A path by --file, or a BACKUP. */
static int
check_choice(const struct invocation *invocation, struct error *err)
{
	const struct restore_options *options = invocation->options;

	if (options->all &&
	    (options->file != NULL || invocation->argument_count > 0))
		return error_set(err, ERROR_USAGE,
		    _("--all is every instance: '%s' is one word too many"),
		    options->file != NULL ? options->file
					  : invocation->arguments[0]);
	if (!options->all && (options->at != NULL || options->server != NULL))
		return error_set(
		    err, ERROR_USAGE, _("--at and --server go with --all"));
	if (options->all)
		return 0;
	if (options->file != NULL && invocation->argument_count > 0)
		return error_set(err, ERROR_USAGE,
		    _("'%s' and --file '%s': which one?"),
		    invocation->arguments[0], options->file);
	if (options->file == NULL && invocation->argument_count == 0) {
		error_set(err, ERROR_USAGE, _("which archive?"));
		return error_hint(err, "anklume backup restore --file FILE");
	}
	return 0;
}

/* The instance, or POOL/VOLUME. Heap. */
static char *
subject(const struct restore_result *result, struct error *err)
{
	if (result->pool == NULL)
		return text_format(err, "%s", result->name);
	return text_format(err, "%s/%s", result->pool, result->name);
}

static int
tell(struct output *output, const struct restore_result *result, bool dry_run,
    struct error *err)
{
	auto_json json_t *fields = NULL;
	auto_free char *name =
	    result->name != NULL ? subject(result, err) : NULL;

	if (error_is_set(err) && result->name != NULL)
		return -1;
	if (name != NULL && !dry_run)
		output_line(output, "%s/%s", result->project, name);
	fields = json_pack("{s:s?, s:s?, s:s?, s:b}", "project",
	    result->project, result->pool != NULL ? "volume" : "instance", name,
	    "origin", *result->origin != '\0' ? result->origin : NULL,
	    "started", result->started);
	output_json(output, fields);
	return 0;
}

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct restore_options *options = invocation->options;
	const struct option_list signers = configured_list(
	    invocation, &(struct option_list){0}, CONFIG_SIGNERS);
	struct restore_request request = {
	    .file = options->file,
	    .backup = invocation->argument_count > 0 ? invocation->arguments[0]
						     : NULL,
	    .from = configured_from(invocation, options->from),
	    .name = options->name,
	    /* A current project breaks ties; it says not where to restore. */
	    .project = invocation->global->project,
	    .storage = options->storage,
	    .signature = {options->signed_by.items, options->signed_by.count,
		options->require_signature, signers.items, signers.count},
	    .allowed = options->allow.items,
	    .allowed_count = options->allow.count,
	    .allow_unsafe = options->allow_unsafe,
	    .timeout_s = invocation->timeout_s,
	    .force = options->force,
	    .start = options->start,
	    .keep_identity = options->keep_identity,
	    .create_missing = options->create_missing,
	    .dry_run = invocation->global->dry_run,
	};
	struct restore_result result = {0};
	int status;

	if (check_choice(invocation, err) < 0)
		return -1;
	if (options->all)
		return restore_all_command(
		    invocation, &request, options->at, options->server, err);
	status = restore_backup(
	    &request, output_watch(invocation->output), &result, err);
	if (tell(invocation->output, &result, request.dry_run, err) < 0)
		status = -1;
	restore_result_clear(&result);
	return status;
}

const struct command backup_restore_command = {
    .words = "backup restore",
    .arguments = N_("[BACKUP]"),
    .summary = N_("make an instance from an archive, all checks passed"),
    .details = N_("BACKUP is a file, INSTANCE (its newest), or INSTANCE@TIME "
		  "(2026-11-22, yesterday).\n"),
    .examples = "  anklume backup restore web@yesterday --name web2\n"
		"  anklume backup restore --file "
		"backups/web-20260214-120000.tar.gz\n"
		"  anklume backup restore --file web.tar.gz.gpg --name web2 "
		"--project work\n"
		"  anklume backup restore --all --from /mnt/nas "
		"--create-missing --dry-run\n",
    .options = specs,
    .options_size = sizeof(struct restore_options),
    .configured = true,
    .arguments_min = 0,
    .arguments_max = 1,
    .argument_kinds = {WORD_BACKUP},
    .run = run,
};
