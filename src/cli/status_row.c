#include "cli/status_row.h"

#include <stdint.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/html.h"
#include "cli/output.h"
#include "cli/status_format.h"
#include "cli/status_svg.h"

/* In the order of the cells; a phone shows them before each. */
enum heading {
	HEADING_INSTANCE,
	HEADING_STATE,
	HEADING_BACKUP,
	HEADING_SIZE,
	HEADING_SIZES,
	HEADING_VERIFIED,
	HEADING_DRILLED,
	HEADING_ARCHIVES,
	HEADINGS
};

static const char *const headings[HEADINGS] = {
    [HEADING_INSTANCE] = N_("Instance"),
    [HEADING_STATE] = N_("State"),
    [HEADING_BACKUP] = N_("Last backup"),
    [HEADING_SIZE] = N_("Size"),
    [HEADING_SIZES] = N_("Sizes over time"),
    [HEADING_VERIFIED] = N_("Verified"),
    [HEADING_DRILLED] = N_("Drilled"),
    [HEADING_ARCHIVES] = N_("Archives"),
};

static bool
is_number(enum heading heading)
{
	return heading == HEADING_SIZE || heading == HEADING_ARCHIVES;
}

static void
print_heading(struct output *output, enum heading heading)
{
	output_line(output, "<th role=\"columnheader\" scope=\"col\"%s>%s</th>",
	    is_number(heading) ? " class=\"number\"" : "",
	    _(headings[heading]));
}

void
status_row_print_headings(struct output *output)
{
	for (unsigned int i = 0; i < HEADINGS; i++)
		print_heading(output, (enum heading)i);
}

void
status_row_print_aside_headings(struct output *output)
{
	print_heading(output, HEADING_INSTANCE);
	print_heading(output, HEADING_STATE);
	print_heading(output, HEADING_BACKUP);
	print_heading(output, HEADING_ARCHIVES);
}

static void
print_badge(struct output *output, const char *code)
{
	const char *tone = status_tone(code);

	output_line(output,
	    "<span class=\"badge %s\"><svg class=\"shape\" "
	    "aria-hidden=\"true\"><use href=\"#%s\"/></svg>%s</span>",
	    tone, tone, status_word(code));
}

void
status_row_print_badges(struct output *output, const json_t *row)
{
	const json_t *problems = json_object_get(row, "problems");
	const json_t *one;
	size_t i;

	json_array_foreach(problems, i, one)
	{
		print_badge(output, json_string_value(one));
	}
	if (json_array_size(problems) == 0)
		print_badge(output, json_text(row, "state"));
}

char *
status_row_name(const json_t *row, struct error *err)
{
	auto_free char *name = text_format(err, "%s/%s",
	    json_text(row, "project"), json_text(row, "instance"));

	return name != NULL ? html_text(name, err) : NULL;
}

static void
open_cell(struct output *output, enum heading heading)
{
	output_line(output, "<td role=\"cell\"%s data-head=\"%s\"><div>",
	    is_number(heading) ? " class=\"number\"" : "",
	    _(headings[heading]));
}

static void
close_cell(struct output *output)
{
	output_line(output, "</div></td>");
}

/* How long ago, and when; of proofs the day will do. */
static void
print_time(struct output *output, const json_t *row, const char *key,
    enum heading heading, time_t now)
{
	const char *text = json_text(row, key);
	char utc[CLOCK_TEXT_BYTES];
	char local[CLOCK_TEXT_BYTES];
	char age[STATUS_AGE_BYTES];
	time_t when;

	open_cell(output, heading);
	if (text != NULL && clock_parse_rfc3339(text, &when)) {
		output_line(
		    output, "<time datetime=\"%s\">", clock_utc(utc, when));
		output_line(output, _("%s ago"),
		    status_age(age, (int64_t)(now - when)));
		output_line(output, "<small>%.*s</small></time>",
		    heading == HEADING_BACKUP ? (int)strlen("2026-11-22 03:04")
					      : (int)strlen("2026-11-22"),
		    clock_local(local, when));
	} else
		output_line(
		    output, "<span class=\"quiet\">%s</span>", _("never"));
	close_cell(output);
}

/* Of the newest, with its path for who wants it. */
static int
print_size(struct output *output, const json_t *row, struct error *err)
{
	auto_free char *path = html_text(json_text(row, "path"), err);
	char size[TEXT_SIZE_BYTES];

	if (path == NULL)
		return -1;
	open_cell(output, HEADING_SIZE);
	if (json_text(row, "path") != NULL)
		output_line(output, "<span title=\"%s\">%s</span>", path,
		    text_show_size(
			size, (uint64_t)json_number(row, "size_bytes")));
	else
		output_line(output, "<span class=\"quiet\">–</span>");
	close_cell(output);
	return 0;
}

static void
print_archives(struct output *output, const json_t *row)
{
	json_int_t damaged = json_number(row, "damaged");
	char size[TEXT_SIZE_BYTES];

	open_cell(output, HEADING_ARCHIVES);
	output_line(output, "%lld<small>%s</small>",
	    (long long)json_number(row, "archives"),
	    text_show_size(size, (uint64_t)json_number(row, "total_bytes")));
	if (damaged > 0) {
		output_line(output, "<small class=\"warn\">");
		output_line(output, _("damaged: %lld"), (long long)damaged);
		output_line(output, "</small>");
	}
	close_cell(output);
}

int
status_row_print(struct output *output, const json_t *row, size_t number,
    time_t now, struct error *err)
{
	auto_free char *name = html_text(json_text(row, "instance"), err);
	const json_t *history = json_object_get(row, "history");

	if (name == NULL)
		return -1;
	output_line(output, "<tr role=\"row\" class=\"row %s\" id=\"i%zu\">",
	    status_tone(json_text(row, "state")), number);
	output_line(
	    output, "<th role=\"rowheader\" scope=\"row\">%s</th>", name);
	open_cell(output, HEADING_STATE);
	status_row_print_badges(output, row);
	close_cell(output);
	print_time(output, row, "last_backup", HEADING_BACKUP, now);
	if (print_size(output, row, err) < 0)
		return -1;
	open_cell(output, HEADING_SIZES);
	status_print_picture(output, history);
	close_cell(output);
	print_time(output, row, "last_verified", HEADING_VERIFIED, now);
	print_time(output, row, "last_drilled", HEADING_DRILLED, now);
	print_archives(output, row);
	output_line(output, "</tr>");
	return 0;
}

int
status_row_print_aside(
    struct output *output, const json_t *row, time_t now, struct error *err)
{
	auto_free char *name = status_row_name(row, err);
	auto_free char *reason = html_text(json_text(row, "reason"), err);

	if (name == NULL || reason == NULL)
		return -1;
	output_line(output, "<tr role=\"row\" class=\"row off\">");
	output_line(
	    output, "<th role=\"rowheader\" scope=\"row\">%s</th>", name);
	open_cell(output, HEADING_STATE);
	status_row_print_badges(output, row);
	if (*reason != '\0')
		output_line(output, "<small>%s</small>", reason);
	close_cell(output);
	print_time(output, row, "last_backup", HEADING_BACKUP, now);
	print_archives(output, row);
	output_line(output, "</tr>");
	return 0;
}
