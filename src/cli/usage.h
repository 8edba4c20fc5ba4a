/* usage.h - help texts, made from the command table */

#ifndef ANKLUME_CLI_USAGE_H
#define ANKLUME_CLI_USAGE_H

struct command;

/* The list of commands; of one group ("backup"), or all with NULL. */
void usage_print_list(const char *group);

/* One command: arguments, options, examples. */
void usage_print_command(const struct command *command);

#endif
