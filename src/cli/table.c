#include "cli/table.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/output.h"

/* Of one cell; what is longer is cut. */
#define CELL_BYTES 4096

/* What a terminal takes for it; a byte each where the locale cannot tell. */
static size_t
width_of(const char *text)
{
	wchar_t wide[CELL_BYTES];
	size_t count = mbstowcs(wide, text, CELL_BYTES);
	int width = count < CELL_BYTES ? wcswidth(wide, count) : -1;

	return width >= 0 ? (size_t)width : strlen(text);
}

int
table_add(struct table *table, const char *text, struct error *err)
{
	char cell[CELL_BYTES];
	size_t column = table->count % table->columns;
	const char *shown = text != NULL ? text : "";
	size_t width;

	if (table->count == table->room) {
		size_t room = table->room > 0 ? 2 * table->room : 64;
		char **grown = reallocarray(table->cells, room, sizeof(*grown));

		if (grown == NULL)
			return error_set_memory(err);
		table->cells = grown;
		table->room = room;
	}
	text_escape(cell, sizeof(cell), shown, strlen(shown));
	table->cells[table->count] = text_copy(cell, strlen(cell), err);
	if (table->cells[table->count] == NULL)
		return -1;
	table->count++;
	width = width_of(cell);
	if (width > table->widths[column])
		table->widths[column] = width;
	return 0;
}

static void
print_row(const struct table *table, size_t row, struct output *output)
{
	char **cells = table->cells + row * table->columns;
	struct error ignored = {0};
	auto_free char *line = text_copy("", 0, &ignored);

	for (size_t i = 0; i < table->columns && line != NULL; i++) {
		size_t pad = table->widths[i] - width_of(cells[i]);
		bool last = i + 1 == table->columns;
		char *longer = text_format(&ignored, "%s%s%*s", line, cells[i],
		    last ? 0 : (int)pad + 2, "");

		free(line);
		line = longer;
	}
	if (line == NULL)
		return;
	for (size_t end = strlen(line); end > 0 && line[end - 1] == ' '; end--)
		line[end - 1] = '\0';
	output_line(output, "%s", line);
}

void
table_print(const struct table *table, struct output *output)
{
	for (size_t row = 0; row < table->count / table->columns; row++)
		print_row(table, row, output);
}

void
table_clear(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){0};
}
