/* status_row.h - one instance on the page of `backup status` */

#ifndef ANKLUME_CLI_STATUS_ROW_H
#define ANKLUME_CLI_STATUS_ROW_H

#include <stddef.h>
#include <time.h>

#include "base/json.h"

struct error;
struct output;

/* Its state and all its problems, each with a shape and in words. */
void status_row_print_badges(struct output *output, const json_t *row);

/* "project/instance", safe for a page. Heap; NULL with err set. */
char *status_row_name(const json_t *row, struct error *err);

/* The headings of the table of what is backed up, and a row of it, which is
 * the target "#i<number>". */
void status_row_print_headings(struct output *output);
int status_row_print(struct output *output, const json_t *row, size_t number,
    time_t now, struct error *err);

/* The same for what is left out or gone. */
void status_row_print_aside_headings(struct output *output);
int status_row_print_aside(
    struct output *output, const json_t *row, time_t now, struct error *err);

#endif
