#include "cli/status_svg.h"

#include <stdint.h>
#include <time.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/output.h"
#include "transfer/status.h"

/* In the picture's own units: CSS pixels of a screen. */
#define WIDTH 144
#define BASELINE 26
#define MARKS_Y 32
#define HEIGHT 36
#define PITCH_MAX 8.0
#define MARK 2.6

/* What all backups of the picture have in common. */
struct scale {
	size_t count;
	double pitch; /* from bar to bar */
	json_int_t least_bytes;
	json_int_t most_bytes;
	size_t verified;
	size_t drilled;
};

static struct scale
measure(const json_t *history)
{
	struct scale scale = {.count = json_array_size(history)};
	const json_t *one;
	size_t i;

	json_array_foreach(history, i, one)
	{
		json_int_t size = json_number(one, "size_bytes");

		if (i == 0 || size < scale.least_bytes)
			scale.least_bytes = size;
		if (size > scale.most_bytes)
			scale.most_bytes = size;
		scale.verified += json_flag(one, "verified");
		scale.drilled += json_flag(one, "drilled");
	}
	scale.pitch = (double)WIDTH / (double)scale.count;
	if (scale.pitch > PITCH_MAX)
		scale.pitch = PITCH_MAX;
	return scale;
}

/* The middle of a bar; 0 is the newest. */
static double
x_of(const struct scale *scale, size_t i)
{
	return (double)WIDTH - scale->pitch * ((double)i + 0.5);
}

/* Where the bar ends; even an empty one shows. */
static double
top_of(const struct scale *scale, const json_t *one)
{
	double share = scale->most_bytes > 0
			   ? (double)json_number(one, "size_bytes") /
				 (double)scale->most_bytes
			   : 0;

	return BASELINE - 1 - share * (BASELINE - 2);
}

static const char *
day_of(char buf[CLOCK_TEXT_BYTES], const json_t *one)
{
	const char *text = json_text(one, "created_at");
	time_t when;

	if (text == NULL || !clock_parse_rfc3339(text, &when))
		return "?";
	(void)clock_local(buf, when);
	buf[sizeof("2026-11-22") - 1] = '\0';
	return buf;
}

static void
print_title(
    struct output *output, const json_t *history, const struct scale *scale)
{
	char from[CLOCK_TEXT_BYTES];
	char until[CLOCK_TEXT_BYTES];
	char least[TEXT_SIZE_BYTES];
	char most[TEXT_SIZE_BYTES];

	output_line(output, "<title>");
	output_line(output,
	    _("Backups: %zu, from %s to %s; sizes: %s to %s; verified: "
	      "%zu; drilled: %zu"),
	    scale->count,
	    day_of(from, json_array_get(history, scale->count - 1)),
	    day_of(until, json_array_get(history, 0)),
	    text_show_size(least, (uint64_t)scale->least_bytes),
	    text_show_size(most, (uint64_t)scale->most_bytes), scale->verified,
	    scale->drilled);
	output_line(output, "</title>");
}

/* One path for all: a picture is a kilobyte that way. */
static void
print_bars(
    struct output *output, const json_t *history, const struct scale *scale)
{
	const json_t *one;
	size_t i;

	output_line(output, "<path class=\"bars\" stroke-width=\"%.1f\" d=\"",
	    scale->pitch * 0.7);
	json_array_foreach(history, i, one)
	{
		/* The newest has its own. */
		if (i == 1)
			output_line(output,
			    "\"/><path class=\"bars old\" stroke-width=\"%.1f\""
			    " d=\"",
			    scale->pitch * 0.7);
		output_line(output, "M%.1f %dV%.1f", x_of(scale, i), BASELINE,
		    top_of(scale, one));
	}
	output_line(output, "\"/>");
}

static void
print_marks(
    struct output *output, const json_t *history, const struct scale *scale)
{
	const json_t *one;
	size_t i;

	output_line(output, "<path class=\"marks\" d=\"");
	json_array_foreach(history, i, one)
	{
		double x = x_of(scale, i);

		if (json_flag(one, "drilled"))
			output_line(output,
			    "M%.1f %dm0 -%.1fl%.1f %.1fl-%.1f %.1fl-%.1f "
			    "-%.1fz",
			    x, MARKS_Y, MARK, MARK, MARK, MARK, MARK, MARK,
			    MARK);
		else if (json_flag(one, "verified"))
			output_line(output, "M%.1f %dh.01", x, MARKS_Y);
	}
	output_line(output, "\"/>");
}

void
status_print_picture(struct output *output, const json_t *history)
{
	struct scale scale;

	if (json_array_size(history) == 0)
		return;
	scale = measure(history);
	output_line(output,
	    "<svg class=\"sizes\" role=\"img\" viewBox=\"0 0 %d %d\" "
	    "width=\"%d\" height=\"%d\">",
	    WIDTH, HEIGHT, WIDTH, HEIGHT);
	print_title(output, history, &scale);
	output_line(output, "<path class=\"ground\" d=\"M0 %d.5H%d\"/>",
	    BASELINE, WIDTH);
	print_bars(output, history, &scale);
	print_marks(output, history, &scale);
	output_line(output, "</svg>");
}
