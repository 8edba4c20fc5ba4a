/* snapshot_command.h - what the snapshot verbs share: INSTANCE... and --name */

#ifndef ANKLUME_CLI_SNAPSHOT_COMMAND_H
#define ANKLUME_CLI_SNAPSHOT_COMMAND_H

#include <stdbool.h>

#include "base/json.h"
#include "cli/options.h"
#include "transfer/snapshot.h"

struct error;
struct invocation;
struct output;
struct watch;

struct snapshot_options {
	const char *name;
};

extern const struct option_spec snapshot_option_specs[];

/* One of transfer/snapshot.h's verbs, and how its result for one instance is
 * printed; `several` when its instance must be told. */
struct snapshot_verb {
	int (*run)(const struct snapshot_request *request,
	    const struct watch *watch, json_t **ret_results, struct error *err);
	void (*print)(
	    struct output *output, const json_t *result, bool several);
};

int snapshot_command_run(const struct invocation *invocation,
    const struct snapshot_verb *verb, struct error *err);

/* "PROJECT/INSTANCE " with several, else "". Returns buf. */
#define SNAPSHOT_OWNER_BYTES 512
const char *snapshot_show_owner(
    char buf[SNAPSHOT_OWNER_BYTES], const json_t *result, bool several);

/* The snapshot's name. */
void snapshot_print_name(
    struct output *output, const json_t *result, bool several);

#endif
