#include "base/i18n.h"
#include "cli/command.h"
#include "cli/snapshot_command.h"

static int
run(const struct invocation *invocation, struct error *err)
{
	return snapshot_command_run(invocation, snapshot_create, err);
}

const struct command snapshot_create_command = {
    .words = "snapshot create",
    .arguments = N_("INSTANCE [NAME]"),
    .summary = N_("take a snapshot"),
    .examples = "  anklume snapshot create web\n"
		"  anklume snapshot create work/web --name before-upgrade\n",
    .options = snapshot_option_specs,
    .options_size = sizeof(struct snapshot_options),
    .arguments_min = 1,
    .arguments_max = 2,
    .run = run,
};
