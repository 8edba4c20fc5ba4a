#include "cli/snapshot_command.h"

#include <stddef.h>

#include "base/error.h"
#include "base/i18n.h"
#include "cli/command.h"
#include "cli/output.h"

const struct option_spec snapshot_option_specs[] = {
    {"name", 0, OPTION_TEXT, offsetof(struct snapshot_options, name), N_("S"),
	N_("the snapshot's name")},
    {0},
};

int
snapshot_request_from(const struct invocation *invocation,
    struct snapshot_request *ret_request, struct error *err)
{
	const struct snapshot_options *options = invocation->options;
	const char *positional =
	    invocation->argument_count > 1 ? invocation->arguments[1] : NULL;

	if (options->name != NULL && positional != NULL)
		return error_set(err, ERROR_USAGE,
		    _("'%s' and --name '%s': which one?"), positional,
		    options->name);
	*ret_request = (struct snapshot_request){
	    .instance = invocation->arguments[0],
	    .project = invocation->project,
	    .name = options->name != NULL ? options->name : positional,
	    .timeout_s = invocation->timeout_s,
	    .dry_run = invocation->global->dry_run,
	};
	return 0;
}

int
snapshot_command_run(const struct invocation *invocation,
    int (*verb)(const struct snapshot_request *request, json_t **ret_done,
	struct error *err),
    struct error *err)
{
	struct snapshot_request request;
	auto_json json_t *done = NULL;

	if (snapshot_request_from(invocation, &request, err) < 0 ||
	    verb(&request, &done, err) < 0)
		return -1;
	output_line(invocation->output, "%s", json_text(done, "snapshot"));
	output_json(invocation->output, done);
	return 0;
}
