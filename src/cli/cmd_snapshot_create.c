#include "base/i18n.h"
#include "cli/command.h"
#include "cli/snapshot_command.h"

/* The name of one that is not there yet: nothing to offer. */
static const struct option_spec specs[] = {
    {"name", 0, OPTION_TEXT, offsetof(struct snapshot_options, name), N_("S"),
	N_("the snapshot's name")},
    {0},
};

static int
run(const struct invocation *invocation, struct error *err)
{
	static const struct snapshot_verb verb = {
	    snapshot_create, snapshot_print_name};

	return snapshot_command_run(invocation, &verb, err);
}

const struct command snapshot_create_command = {
    .words = "snapshot create",
    .arguments = N_("INSTANCE... [NAME]"),
    .summary = N_("take a snapshot"),
    .details = N_("A second word that is the name of no instance is the "
		  "snapshot's name.\n"
		  "Several instances get one name, by default made from the "
		  "time."),
    .examples = "  anklume snapshot create web\n"
		"  anklume snapshot create work/web before-upgrade\n"
		"  anklume snapshot create web db --name before-upgrade\n",
    .options = specs,
    .options_size = sizeof(struct snapshot_options),
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .argument_kinds = {WORD_INSTANCE},
    .run = run,
};
