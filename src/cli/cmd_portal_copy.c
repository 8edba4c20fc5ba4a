#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "transfer/copy.h"

/* The largest id: (uid_t)-1 means "unchanged" to chown(2). */
#define ID_MAX 4294967294U

struct copy_options {
	bool recursive;
	bool create_directories;
	bool no_clobber;
	bool update;
	bool in_place;
	bool verify;
	bool keep_setuid;
	const char *uid;
	const char *gid;
	const char *mode;
};

#define FIELD(name) offsetof(struct copy_options, name)

static const struct option_spec specs[] = {
    {"recursive", 'r', OPTION_FLAG, FIELD(recursive), NULL,
	N_("copy directories with all that is in them")},
    {"create-dirs", 'p', OPTION_FLAG, FIELD(create_directories), NULL,
	N_("make missing directories")},
    {"no-clobber", 0, OPTION_FLAG, FIELD(no_clobber), NULL,
	N_("never replace a file")},
    {"update", 0, OPTION_FLAG, FIELD(update), NULL,
	N_("leave files of the same size and time")},
    {"in-place", 0, OPTION_FLAG, FIELD(in_place), NULL,
	N_("write into files that are there, such as mount points")},
    {"verify", 0, OPTION_FLAG, FIELD(verify), NULL,
	N_("read back what was written, and compare")},
    {"uid", 0, OPTION_TEXT, FIELD(uid), N_("N"), N_("owner on arrival")},
    {"gid", 0, OPTION_TEXT, FIELD(gid), N_("N"), N_("group on arrival")},
    {"mode", 0, OPTION_TEXT, FIELD(mode), N_("OCTAL"),
	N_("permissions on arrival")},
    {"keep-setuid", 0, OPTION_FLAG, FIELD(keep_setuid), NULL,
	N_("keep setuid and setgid bits")},
    {0},
};

/* A number, or -1 when not said. */
static int
parse_id(
    const char *option, const char *text, int64_t *ret_id, struct error *err)
{
	uint64_t value = 0;

	*ret_id = -1;
	if (text == NULL)
		return 0;
	if (!text_parse_number(text, ID_MAX, &value))
		return error_set(err, ERROR_USAGE,
		    _("--%s wants a number, not '%s'"), option, text);
	*ret_id = (int64_t)value;
	return 0;
}

static int
parse_mode(const char *text, int64_t *ret_mode, struct error *err)
{
	int64_t mode = 0;

	*ret_mode = -1;
	if (text == NULL)
		return 0;
	if (*text == '\0' || strlen(text) > 5 ||
	    text[strspn(text, "01234567")] != '\0')
		return error_set(err, ERROR_USAGE,
		    _("--mode wants octal digits, as in 644, not '%s'"), text);
	for (; *text != '\0'; text++)
		mode = mode * 8 + (*text - '0');
	if (mode > 07777)
		return error_set(err, ERROR_USAGE, _("--mode is 7777 at most"));
	*ret_mode = mode;
	return 0;
}

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct copy_options *options = invocation->options;
	size_t count = invocation->argument_count - 1;
	struct copy_request request = {
	    .sources = invocation->arguments,
	    .source_count = count,
	    .destination = invocation->arguments[count],
	    .project = invocation->project,
	    .timeout_s = invocation->timeout_s,
	    .recursive = options->recursive,
	    .update = options->update,
	    .create_directories = options->create_directories,
	    .no_clobber = options->no_clobber,
	    .in_place = options->in_place,
	    .verify = options->verify,
	    .keep_setuid = options->keep_setuid,
	    .dry_run = invocation->global->dry_run,
	};
	struct copy_result result = {0};
	auto_json json_t *fields = NULL;
	int status;

	if (parse_id("uid", options->uid, &request.uid, err) < 0 ||
	    parse_id("gid", options->gid, &request.gid, err) < 0 ||
	    parse_mode(options->mode, &request.mode, err) < 0)
		return -1;
	if (strcmp(request.destination, "-") == 0)
		output_reserve_stdout(invocation->output);

	status = copy_files(
	    &request, output_watch(invocation->output), &result, err);
	fields = json_pack("{s:I, s:I, s:I, s:I, s:I}", "copied",
	    (json_int_t)result.copied, "failed", (json_int_t)result.failed,
	    "skipped", (json_int_t)result.skipped, "kept",
	    (json_int_t)result.kept, "size_bytes",
	    (json_int_t)result.size_bytes);
	output_json(invocation->output, fields);
	return status;
}

const struct command portal_copy_command = {
    .words = "portal copy",
    .alias = "copy",
    .arguments = N_("SRC... DST"),
    .summary = N_("copy files between instances, or to and from this side"),
    .examples =
	"  anklume portal copy pro-dev:/etc/hosts "
	"perso-desktop:/tmp/hosts\n"
	"  anklume portal copy work/web:/var/log/syslog .\n"
	"  anklume portal copy -r work/web:/srv/www backup/store:/srv/\n"
	"  dmesg | anklume portal copy - web:/tmp/dmesg\n",
    .options = specs,
    .options_size = sizeof(struct copy_options),
    .arguments_min = 2,
    .arguments_max = ARGUMENTS_ANY,
    .argument_kinds = {WORD_LOCATION},
    .run = run,
};
