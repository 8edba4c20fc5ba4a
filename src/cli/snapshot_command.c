#include "cli/snapshot_command.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"

const struct option_spec snapshot_option_specs[] = {
    {"name", 0, OPTION_TEXT, offsetof(struct snapshot_options, name), N_("S"),
	N_("the snapshot's name"), WORD_SNAPSHOT},
    {0},
};

const char *
snapshot_show_owner(
    char buf[SNAPSHOT_OWNER_BYTES], const json_t *result, bool several)
{
	char raw[SNAPSHOT_OWNER_BYTES] = "";

	if (several)
		(void)snprintf(raw, sizeof(raw), "%s/%s ",
		    json_text(result, "project"),
		    json_text(result, "instance"));
	return text_escape(buf, SNAPSHOT_OWNER_BYTES, raw, strlen(raw));
}

void
snapshot_print_name(struct output *output, const json_t *result, bool several)
{
	const char *name = json_text(result, "snapshot");
	char owner[SNAPSHOT_OWNER_BYTES];
	char shown[256];

	/* One that exists may have been named by anyone. */
	text_escape(shown, sizeof(shown), name, strlen(name));
	output_line(
	    output, "%s%s", snapshot_show_owner(owner, result, several), shown);
}

/* Lines for what was done; the object shows also what was not. */
static void
show(struct output *output, const struct snapshot_verb *verb,
    const json_t *results, bool done)
{
	bool several = json_array_size(results) > 1;
	auto_json json_t *fields =
	    json_pack("{s:O}", "results", (json_t *)(uintptr_t)results);
	const json_t *one;
	size_t i;

	json_array_foreach(results, i, one)
	{
		const json_t *status = json_object_get(one, "status");

		if (several)
			done = json_is_integer(status) &&
			       json_integer_value(status) == ERROR_NONE;
		if (done && !json_flag(one, "dry_run"))
			verb->print(output, one, several);
	}
	output_json(output, several ? fields : json_array_get(results, 0));
}

int
snapshot_command_run(const struct invocation *invocation,
    const struct snapshot_verb *verb, struct error *err)
{
	const struct snapshot_options *options = invocation->options;
	struct snapshot_request request = {
	    .words = invocation->arguments,
	    .word_count = invocation->argument_count,
	    .project = invocation->project,
	    .name = options->name,
	    .timeout_s = invocation->timeout_s,
	    .dry_run = invocation->global->dry_run,
	};
	auto_json json_t *results = NULL;
	int status = verb->run(
	    &request, output_watch(invocation->output), &results, err);

	if (results != NULL)
		show(invocation->output, verb, results, status == 0);
	return status;
}
