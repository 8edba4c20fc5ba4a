/* status_format.h - the forms of `backup status`: for people, monitors, pages
 */

#ifndef ANKLUME_CLI_STATUS_FORMAT_H
#define ANKLUME_CLI_STATUS_FORMAT_H

#include <stdint.h>

struct error;
struct output;
struct status_result;

/* A table. */
int status_print_table(struct output *output,
    const struct status_result *status, struct error *err);

/* One line and performance data; the plugin's return code, which is the exit
 * status then: 0, 1 (warning), 2 (critical) (Monitoring Plugins Development
 * Guidelines). */
int status_print_nagios(
    struct output *output, const struct status_result *status);

/* The text format, for node_exporter's textfile collector (Prometheus,
 * exposition_formats). */
void status_print_prometheus(
    struct output *output, const struct status_result *status);

/* One page that needs nothing from elsewhere. */
int status_print_html(struct output *output, const struct status_result *status,
    struct error *err);

/* "3 d", "5 h" ...: an age in the largest unit that fits. Returns buf. */
#define STATUS_AGE_BYTES 32
const char *status_age(char buf[STATUS_AGE_BYTES], int64_t seconds);

/* What a problem's or a state's code means, in the user's language. Static. */
const char *status_word(const char *code);

/* How it weighs: "ok", "warn", "bad", or "off" for what is not to be backed up.
 * Static, untranslated. */
const char *status_tone(const char *code);

#endif
