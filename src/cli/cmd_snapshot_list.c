#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/snapshot_command.h"

static void
print_rows(struct output *output, const json_t *snapshots)
{
	const json_t *one;
	size_t i;

	json_array_foreach(snapshots, i, one)
	{
		const char *expires = json_text(one, "expires_at");
		const char *name = json_text(one, "name");
		char shown[256];

		text_escape(shown, sizeof(shown), name, strlen(name));
		output_line(output, "%-30s %.19s%s%.19s", shown,
		    json_text(one, "created_at"),
		    expires != NULL ? _("  expires ") : "",
		    expires != NULL ? expires : "");
	}
}

static int
run(const struct invocation *invocation, struct error *err)
{
	struct snapshot_request request = {
	    .instance = invocation->arguments[0],
	    .project = invocation->project,
	    .timeout_s = invocation->timeout_s,
	};
	auto_json json_t *list = NULL;

	if (snapshot_list(&request, &list, err) < 0)
		return -1;
	print_rows(invocation->output, json_object_get(list, "snapshots"));
	output_json(invocation->output, list);
	return 0;
}

const struct command snapshot_list_command = {
    .words = "snapshot list",
    .arguments = N_("INSTANCE"),
    .summary = N_("list an instance's snapshots"),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
