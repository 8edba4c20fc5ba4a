#include "base/i18n.h"
#include "cli/command.h"
#include "cli/snapshot_command.h"

static int
run(const struct invocation *invocation, struct error *err)
{
	return snapshot_command_run(invocation, snapshot_restore, err);
}

const struct command snapshot_restore_command = {
    .words = "snapshot restore",
    .arguments = N_("INSTANCE NAME"),
    .summary = N_("bring an instance back to a snapshot"),
    .examples = "  anklume snapshot restore web --name before-upgrade\n",
    .options = snapshot_option_specs,
    .options_size = sizeof(struct snapshot_options),
    .arguments_min = 1,
    .arguments_max = 2,
    .run = run,
};
