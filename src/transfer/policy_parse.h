/* policy_parse.h - the text of a policy (docs/formats.md) becomes rules */

#ifndef ANKLUME_TRANSFER_POLICY_PARSE_H
#define ANKLUME_TRANSFER_POLICY_PARSE_H

#include <stddef.h>

struct error;
struct policy;

/* Beyond these a policy is refused. A line holds two paths of PATH_MAX. */
#define POLICY_LINE_MAX_BYTES 10240
#define POLICY_RULES_MAX 4096 /* and as many lines of trust */

/* Parse `size` bytes; `file` is their name in messages. All or nothing: the
 * first mistake is ERROR_USAGE, with the file and the number of its line. */
struct policy *policy_parse(
    const char *file, const char *text, size_t size, struct error *err);

#endif
