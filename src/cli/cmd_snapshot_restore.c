#include "base/i18n.h"
#include "cli/command.h"
#include "cli/snapshot_command.h"

static int
run(const struct invocation *invocation, struct error *err)
{
	static const struct snapshot_verb verb = {
	    snapshot_restore, snapshot_print_name};

	return snapshot_command_run(invocation, &verb, err);
}

const struct command snapshot_restore_command = {
    .words = "snapshot restore",
    .arguments = N_("INSTANCE... NAME"),
    .summary = N_("bring an instance back to a snapshot"),
    .details =
	N_("The second of two words is the snapshot's name; for several\n"
	   "instances it is given by --name."),
    .examples = "  anklume snapshot restore web before-upgrade\n"
		"  anklume snapshot restore web db --name before-upgrade\n",
    .options = snapshot_option_specs,
    .options_size = sizeof(struct snapshot_options),
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .argument_kinds = {WORD_INSTANCE, WORD_SNAPSHOT, WORD_INSTANCE},
    .run = run,
};
