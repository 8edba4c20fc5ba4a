/* snapshot_command.h - what the snapshot verbs share: INSTANCE and --name */

#ifndef ANKLUME_CLI_SNAPSHOT_COMMAND_H
#define ANKLUME_CLI_SNAPSHOT_COMMAND_H

#include "base/json.h"
#include "cli/options.h"
#include "transfer/snapshot.h"

struct error;
struct invocation;

struct snapshot_options {
	const char *name;
};

extern const struct option_spec snapshot_option_specs[];

/* Run one of transfer/snapshot.h's verbs and print the snapshot's name. */
int snapshot_command_run(const struct invocation *invocation,
    int (*verb)(const struct snapshot_request *request, json_t **ret_done,
	struct error *err),
    struct error *err);

/* The request that the words make. */
int snapshot_request_from(const struct invocation *invocation,
    struct snapshot_request *ret_request, struct error *err);

#endif
