/* restore_all_command.h - `backup restore --all` */

#ifndef ANKLUME_CLI_RESTORE_ALL_COMMAND_H
#define ANKLUME_CLI_RESTORE_ALL_COMMAND_H

struct error;
struct invocation;
struct restore_request;

/* A table before, a line for each, a summary after. `at` and `server` as typed;
 * NULL. */
int restore_all_command(const struct invocation *invocation,
    const struct restore_request *each, const char *at, const char *server,
    struct error *err);

#endif
