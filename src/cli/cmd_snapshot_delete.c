#include "base/i18n.h"
#include "cli/command.h"
#include "cli/snapshot_command.h"

static int
run(const struct invocation *invocation, struct error *err)
{
	static const struct snapshot_verb verb = {
	    snapshot_delete, snapshot_print_name};

	return snapshot_command_run(invocation, &verb, err);
}

const struct command snapshot_delete_command = {
    .words = "snapshot delete",
    .arguments = N_("INSTANCE... NAME"),
    .summary = N_("delete a snapshot"),
    .details =
	N_("The second of two words is the snapshot's name; for several\n"
	   "instances it is given by --name."),
    .examples = "  anklume snapshot delete web before-upgrade\n"
		"  anklume snapshot delete web db --name before-upgrade\n",
    .options = snapshot_option_specs,
    .options_size = sizeof(struct snapshot_options),
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .argument_kinds = {WORD_INSTANCE, WORD_SNAPSHOT, WORD_INSTANCE},
    .run = run,
};
