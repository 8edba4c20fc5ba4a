/* table.h - rows of cells, aligned as a terminal shows them */

#ifndef ANKLUME_CLI_TABLE_H
#define ANKLUME_CLI_TABLE_H

#include <stddef.h>

struct error;
struct output;

#define TABLE_COLUMNS_MAX 8

/* Zero-initialised but for `columns`. */
struct table {
	size_t columns; /* at most TABLE_COLUMNS_MAX */
	size_t count;	/* of cells */
	size_t room;
	char **cells;
	size_t widths[TABLE_COLUMNS_MAX]; /* in terminal columns */
};

/* Add the next cell, row by row, escaped; NULL is an empty one. */
int table_add(struct table *table, const char *text, struct error *err);

/* Print every row, two spaces between columns. */
void table_print(const struct table *table, struct output *output);

void table_clear(struct table *table);

static inline void
auto_table_cleanup(struct table *table)
{
	table_clear(table);
}

/* An owning local. */
#define auto_table __attribute__((cleanup(auto_table_cleanup)))

#endif
