/* output.h - what a person or a script gets to see; the only place that prints
 *
 * Data goes to standard output, everything else to standard error. With --json,
 * standard output gets one object at the end. */

#ifndef ANKLUME_CLI_OUTPUT_H
#define ANKLUME_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "transfer/watch.h"

struct error;
struct global_options;
struct output;

struct output *output_new(
    const struct global_options *global, struct error *err);
void output_free(struct output *output);

/* What a transfer reports to. Borrowed. */
const struct watch *output_watch(const struct output *output);

/* Where data goes when a command sends it to standard output: no line and no
 * JSON may go there too. */
void output_reserve_stdout(struct output *output);

/* As --json does, for another option that means the same. */
void output_force_json(struct output *output);
bool output_is_json(const struct output *output);

/* The exit status of a run that does not fail, where others read it by rules of
 * their own. */
void output_set_status(struct output *output, int status);

/* A line of data; nothing with --json. */
void output_line(struct output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));

/* A remark on standard error; nothing with --quiet. */
void output_note(struct output *output, const char *text);

/* What --json will show besides "schema", "command", "status"; `fields` is
 * merged in. */
void output_json(struct output *output, const json_t *fields);

/* One of many that --json shows as the array `key`, printed at once: there may
 * be more of them than memory. Of one key only; takes `item` over. */
void output_item(struct output *output, const char *key, json_t *item);

/* The end: the error, if any, once; the JSON object. The service manager gets
 * the last that was said (base/notify.h). Returns the exit status. */
int output_finish(
    struct output *output, const char *command, struct error *err);

#endif
