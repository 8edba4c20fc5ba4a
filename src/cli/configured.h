/* configured.h - what an option says, else the configuration, else nothing */

#ifndef ANKLUME_CLI_CONFIGURED_H
#define ANKLUME_CLI_CONFIGURED_H

#include "cli/options.h"
#include "transfer/configuration.h"

struct invocation;

/* A text, or NULL where neither says one; a default of the configuration
 * counts. */
const char *configured_text(const struct invocation *invocation,
    const char *typed, enum config_key key);

/* Where archives are looked for: NULL is backups/. */
const char *configured_from(
    const struct invocation *invocation, const char *typed);

/* `typed`, or where it is empty, what the configuration lists. */
struct option_list configured_list(const struct invocation *invocation,
    const struct option_list *typed, enum config_key key);

#endif
