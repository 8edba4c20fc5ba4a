#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/snapshot_command.h"

static void
print_rows(struct output *output, const json_t *result, bool several)
{
	char owner[SNAPSHOT_OWNER_BYTES];
	const json_t *one;
	size_t i;

	snapshot_show_owner(owner, result, several);
	json_array_foreach(json_object_get(result, "snapshots"), i, one)
	{
		const char *expires = json_text(one, "expires_at");
		const char *name = json_text(one, "name");
		char shown[256];

		text_escape(shown, sizeof(shown), name, strlen(name));
		output_line(output, "%s%-30s %.19s%s%.19s", owner, shown,
		    json_text(one, "created_at"),
		    expires != NULL ? _("  expires ") : "",
		    expires != NULL ? expires : "");
	}
}

static int
run(const struct invocation *invocation, struct error *err)
{
	static const struct snapshot_verb verb = {snapshot_list, print_rows};

	return snapshot_command_run(invocation, &verb, err);
}

const struct command snapshot_list_command = {
    .words = "snapshot list",
    .arguments = N_("INSTANCE..."),
    .summary = N_("list snapshots"),
    .options_size = sizeof(struct snapshot_options),
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .argument_kinds = {WORD_INSTANCE},
    .run = run,
};
