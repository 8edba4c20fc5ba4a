#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/html.h"
#include "cli/output.h"
#include "cli/status_format.h"
#include "cli/status_row.h"
#include "cli/status_style.h"
#include "transfer/status.h"

/* A list that is to be taken in at a glance. */
#define LOOKS_MAX 12

struct page {
	struct output *output;
	const struct status_result *status;
	json_int_t archives;
	uint64_t total_bytes;
	size_t aside; /* left out, or gone */
};

static bool
is_aside(const json_t *row)
{
	return strcmp(status_tone(json_text(row, "state")), "off") == 0;
}

static bool
is_wanting(const json_t *row)
{
	return json_array_size(json_object_get(row, "problems")) > 0;
}

static void
count(struct page *page)
{
	const json_t *row;
	size_t i;

	json_array_foreach(page->status->instances, i, row)
	{
		page->archives += json_number(row, "archives");
		page->total_bytes += (uint64_t)json_number(row, "total_bytes");
		page->aside += is_aside(row);
	}
}

/* The worst of all rows, by the order of their weight. */
static const char *
tone_of_all(const struct status_result *status)
{
	const char *worst = "ok";
	const json_t *row;
	size_t i;

	json_array_foreach(status->instances, i, row)
	{
		const char *tone = status_tone(json_text(row, "state"));

		if (strcmp(tone, "bad") == 0)
			return tone;
		if (strcmp(tone, "warn") == 0)
			worst = tone;
	}
	return worst;
}

static void
print_verdict(struct output *output, const struct status_result *status)
{
	if (status->count == 0)
		output_line(output, "%s", _("There is nothing to back up"));
	else if (status->wanting == 0)
		output_line(output, "%s", _("All is well with every instance"));
	else if (status->wanting == 1)
		output_line(output, _("1 of %zu instances needs a look"),
		    status->count);
	else
		output_line(output, _("%zu of %zu instances need a look"),
		    status->wanting, status->count);
}

/* Shapes that differ without their colours. */
static void
print_shapes(struct output *output)
{
	static const char *const shapes[][2] = {
	    {"ok", "<circle cx=\"8\" cy=\"8\" r=\"8\"/>"
		   "<path d=\"M4.5 8.3l2.4 2.4 4.6-5\"/>"},
	    {"warn", "<polygon points=\"8,0.5 16,15.5 0,15.5\"/>"
		     "<path d=\"M8 6v4M8 13v.01\"/>"},
	    {"bad", "<polygon points=\"4.7,0 11.3,0 16,4.7 16,11.3 11.3,16 "
		    "4.7,16 0,11.3 0,4.7\"/>"
		    "<path d=\"M5 5l6 6M11 5l-6 6\"/>"},
	    {"off", "<circle cx=\"8\" cy=\"8\" r=\"8\"/>"
		    "<path d=\"M4.5 8h7\"/>"},
	};

	output_line(output,
	    "<svg width=\"0\" height=\"0\" style=\"position:absolute\" "
	    "aria-hidden=\"true\">");
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		output_line(output,
		    "<symbol id=\"%s\" viewBox=\"0 0 16 16\">%s</symbol>",
		    shapes[i][0], shapes[i][1]);
	output_line(output, "</svg>");
}

static void
print_head(struct output *output, const struct status_result *status)
{
	output_line(output, "<!DOCTYPE html>");
	/* The code of the language that it is translated to: "fr". */
	output_line(output, "<html lang=\"%s\">", _("en"));
	output_line(output, "<head>\n<meta charset=\"utf-8\">");
	output_line(output,
	    "<meta http-equiv=\"Content-Security-Policy\" "
	    "content=\"default-src 'none'; style-src 'unsafe-inline'\">");
	output_line(output, "<meta name=\"viewport\" "
			    "content=\"width=device-width, initial-scale=1\">");
	output_line(
	    output, "<meta name=\"color-scheme\" content=\"light dark\">");
	output_line(output, "<title>");
	print_verdict(output, status);
	output_line(output, "</title>\n<style>");
	for (const char *const *line = status_style; *line != NULL; line++)
		output_line(output, "%s", *line);
	output_line(output, "</style>\n</head>\n<body>");
	print_shapes(output);
}

static void
print_tile(struct output *output, const char *name, const char *tone,
    const char *value)
{
	output_line(output, "<div><dt>%s</dt><dd%s%s%s>%s</dd></div>", name,
	    tone != NULL ? " class=\"" : "", tone != NULL ? tone : "",
	    tone != NULL ? "\"" : "", value);
}

static int
print_header(const struct page *page, struct error *err)
{
	struct output *output = page->output;
	const struct status_result *status = page->status;
	const char *tone = tone_of_all(status);
	auto_free char *instances = text_format(err, "%zu", status->count);
	auto_free char *wanting = text_format(err, "%zu", status->wanting);
	auto_free char *archives =
	    text_format(err, "%lld", (long long)page->archives);
	char size[TEXT_SIZE_BYTES];
	char utc[CLOCK_TEXT_BYTES];
	char local[CLOCK_TEXT_BYTES];

	if (instances == NULL || wanting == NULL || archives == NULL)
		return -1;
	output_line(output, "<header>\n<p class=\"over\">%s</p>",
	    _("Backups of Incus instances"));
	output_line(output,
	    "<h1><svg class=\"shape %s\" aria-hidden=\"true\">"
	    "<use href=\"#%s\"/></svg><span>",
	    tone, tone);
	print_verdict(output, status);
	output_line(output, "</span></h1>\n<p class=\"quiet\">%s", _("As of"));
	output_line(output, "<time datetime=\"%s\">%s</time></p>",
	    clock_utc(utc, status->now), clock_local(local, status->now));
	output_line(output, "<dl>");
	print_tile(output, _("Instances"), NULL, instances);
	print_tile(output, _("To look at"), tone, wanting);
	print_tile(output, _("Archives"), NULL, archives);
	print_tile(output, _("Space they take"), NULL,
	    text_show_size(size, page->total_bytes));
	output_line(output, "</dl>\n</header>");
	return 0;
}

/* Those of one tone, as long as there is room; each a link to its row. */
static int
print_looks_of(
    const struct page *page, const char *tone, size_t *shown, struct error *err)
{
	const json_t *row;
	size_t i;

	json_array_foreach(page->status->instances, i, row)
	{
		auto_free char *name = NULL;

		if (!is_wanting(row) ||
		    strcmp(status_tone(json_text(row, "state")), tone) != 0 ||
		    (*shown)++ >= LOOKS_MAX)
			continue;
		name = status_row_name(row, err);
		if (name == NULL)
			return -1;
		output_line(page->output, "<li><a href=\"#i%zu\">%s</a><span>",
		    i, name);
		status_row_print_badges(page->output, row);
		output_line(page->output, "</span></li>");
	}
	return 0;
}

/* The worst go first. */
static int
print_looks(const struct page *page, struct error *err)
{
	struct output *output = page->output;
	size_t shown = 0;

	if (page->status->wanting == 0)
		return 0;
	output_line(output, "<h2>%s</h2>\n<ul class=\"look card\">",
	    _("What needs a look"));
	if (print_looks_of(page, "bad", &shown, err) < 0 ||
	    print_looks_of(page, "warn", &shown, err) < 0)
		return -1;
	if (shown > LOOKS_MAX) {
		output_line(output, "<li class=\"quiet\">");
		output_line(
		    output, _("and %zu more, marked below"), shown - LOOKS_MAX);
		output_line(output, "</li>");
	}
	output_line(output, "</ul>");
	return 0;
}

static void
print_key(struct output *output)
{
	output_line(output,
	    "<ul class=\"key\">\n<li><svg width=\"9\" height=\"12\" "
	    "aria-hidden=\"true\"><path class=\"bars\" stroke-width=\"6\" "
	    "d=\"M5 12V1\"/></svg>%s</li>",
	    _("the newest backup, after those before it"));
	output_line(output,
	    "<li><svg width=\"6\" height=\"6\" aria-hidden=\"true\">"
	    "<path class=\"marks\" d=\"M3 3h.01\"/></svg>%s</li>",
	    _("verified"));
	output_line(output,
	    "<li><svg width=\"8\" height=\"8\" aria-hidden=\"true\">"
	    "<path class=\"marks\" "
	    "d=\"M4 1.4l2.6 2.6-2.6 2.6-2.6-2.6z\"/></svg>%s</li>\n</ul>",
	    _("drilled: restored, and it ran"));
}

/* The rows from `first` that are of one project; those with problems go first.
 * Returns the row behind them, or a negative number. */
static ssize_t
print_project(const struct page *page, size_t first, struct error *err)
{
	const json_t *rows = page->status->instances;
	const char *project = json_text(json_array_get(rows, first), "project");
	auto_free char *name = html_text(project, err);
	size_t end = first;
	size_t judged = 0;

	if (name == NULL)
		return -1;
	for (; end < json_array_size(rows) &&
	       strcmp(json_text(json_array_get(rows, end), "project"),
		   project) == 0;
	     end++)
		judged += !is_aside(json_array_get(rows, end));
	if (judged == 0)
		return (ssize_t)end;
	output_line(page->output,
	    "<tbody role=\"rowgroup\">\n<tr role=\"row\" class=\"group\">"
	    "<th role=\"rowheader\" scope=\"rowgroup\" colspan=\"8\">"
	    "<small>%s</small> %s</th></tr>",
	    _("Project"), name);
	for (int wanting = 1; wanting >= 0; wanting--) {
		for (size_t i = first; i < end; i++) {
			const json_t *row = json_array_get(rows, i);

			if (is_aside(row) || is_wanting(row) != (wanting == 1))
				continue;
			if (status_row_print(page->output, row, i,
				page->status->now, err) < 0)
				return -1;
		}
	}
	output_line(page->output, "</tbody>");
	return (ssize_t)end;
}

static void
open_table(struct output *output, const char *title)
{
	output_line(output, "<h2>%s</h2>\n<div class=\"card\">", title);
	output_line(output,
	    "<table role=\"table\">\n<caption>%s</caption>\n"
	    "<thead role=\"rowgroup\">\n<tr role=\"row\">",
	    title);
}

static int
print_instances(const struct page *page, struct error *err)
{
	struct output *output = page->output;
	size_t count_all = json_array_size(page->status->instances);
	size_t next = 0;

	if (page->status->count == 0)
		return 0;
	open_table(output, _("Every instance"));
	status_row_print_headings(output);
	output_line(output, "</tr>\n</thead>");
	while (next < count_all) {
		ssize_t behind = print_project(page, next, err);

		if (behind < 0)
			return -1;
		next = (size_t)behind;
	}
	output_line(output, "</table>\n</div>");
	print_key(output);
	return 0;
}

static int
print_aside(const struct page *page, struct error *err)
{
	struct output *output = page->output;
	const json_t *row;
	size_t i;

	if (page->aside == 0)
		return 0;
	open_table(output, _("Left out, or gone"));
	status_row_print_aside_headings(output);
	output_line(output, "</tr>\n</thead>\n<tbody role=\"rowgroup\">");
	json_array_foreach(page->status->instances, i, row)
	{
		if (is_aside(row) && status_row_print_aside(output, row,
					 page->status->now, err) < 0)
			return -1;
	}
	output_line(output, "</tbody>\n</table>\n</div>");
	return 0;
}

int
status_print_html(struct output *output, const struct status_result *status,
    struct error *err)
{
	struct page page = {.output = output, .status = status};

	count(&page);
	print_head(output, status);
	if (print_header(&page, err) < 0)
		return -1;
	output_line(output, "<main>");
	if (print_looks(&page, err) < 0 || print_instances(&page, err) < 0 ||
	    print_aside(&page, err) < 0)
		return -1;
	output_line(output, "</main>\n<footer><p>%s</p></footer>",
	    _("Made by anklume backup status. This page loads nothing and runs "
	      "nothing; it stays as it is until it is made again."));
	output_line(output, "</body>\n</html>");
	return 0;
}
