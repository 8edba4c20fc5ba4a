/* status_svg.h - a small picture of one instance's backups over time */

#ifndef ANKLUME_CLI_STATUS_SVG_H
#define ANKLUME_CLI_STATUS_SVG_H

#include "base/json.h"

struct output;

/* Print an SVG element for a row's "history" (docs/formats.md): a bar for each
 * backup, the newest on the right, and below it a diamond where it was drilled,
 * or a dot where it was verified. Its title says it in words. Nothing without
 * any backup. */
void status_print_picture(struct output *output, const json_t *history);

#endif
