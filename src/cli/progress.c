#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/notify.h"
#include "base/text.h"

/* At most ten times a second for eyes, twice a minute for a log, and for a
 * manager that somebody may ask as often as one would ask. */
#define TERMINAL_EVERY_MS 100
#define LOG_EVERY_MS 30000
#define NOTIFY_EVERY_MS 2000

/* Size, speed, share and time. */
#define FACTS_BYTES 128

/* Back to the first column, and erase to the end of the line (ECMA-48, EL). */
#define ERASE "\r\033[K"

#define ELLIPSIS "..."

/* Of a terminal that does not tell. */
#define COLUMNS_DEFAULT 80

void
progress_init(struct progress *progress, bool quiet)
{
	*progress = (struct progress){
	    .enabled = !quiet,
	    .notifies = notify_is_wanted(),
	    .notified_ms = clock_now_ms() - NOTIFY_EVERY_MS,
	    .terminal = isatty(STDERR_FILENO) == 1,
	};
}

static bool
notify_is_due(const struct progress *progress, int64_t now_ms)
{
	return progress->notifies &&
	       now_ms - progress->notified_ms >= NOTIFY_EVERY_MS;
}

/* Trees may begin file after file: what comes too early is left out. */
static void
notify(struct progress *progress, const char *facts, int64_t now_ms)
{
	char text[sizeof(progress->what) + FACTS_BYTES];

	if (!notify_is_due(progress, now_ms))
		return;
	(void)snprintf(text, sizeof(text), "%s%s", progress->what, facts);
	notify_status(text);
	progress->notified_ms = now_ms;
}

void
progress_start(
    struct progress *progress, const char *what, uint64_t total_bytes)
{
	progress_stop(progress);
	text_escape(progress->what, sizeof(progress->what), what, strlen(what));
	progress->total_bytes = total_bytes;
	progress->bytes = 0;
	progress->started_ms = clock_now_ms();
	progress->shown_ms = progress->started_ms;
	progress->active = true;
	notify(progress, "", progress->started_ms);
}

/* "  42 %  00:12 left", or nothing when the whole is not known. */
static void
format_share(
    const struct progress *progress, int64_t spent_ms, char *buf, size_t size)
{
	double share;
	int64_t left_s;

	buf[0] = '\0';
	if (progress->total_bytes == 0 || progress->bytes == 0)
		return;
	share = (double)progress->bytes / (double)progress->total_bytes;
	if (share > 1)
		share = 1;
	left_s = (int64_t)((double)spent_ms / 1000 * (1 - share) / share);
	(void)snprintf(buf, size, _("  %3d %%  %02d:%02d left"),
	    (int)(share * 100), (int)(left_s / 60), (int)(left_s % 60));
}

/* Columns of the terminal; a log has no end. */
static size_t
width_of(const struct progress *progress)
{
	struct winsize size = {0};

	if (!progress->terminal)
		return SIZE_MAX;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col;
}

/* The end of a text that has room for so many bytes, which are at least as many
 * as its columns. */
static const char *
last_of(const char *text, size_t room)
{
	size_t length = strlen(text);

	if (length > room)
		text += length - room;
	while (((unsigned char)*text & 0xc0U) == 0x80U)
		text++;
	return text;
}

/* A line that wraps could not be erased: the name gives way. */
static void
print_line(const struct progress *progress, const char *facts)
{
	size_t width = width_of(progress);
	size_t taken = strlen(facts) + 1;
	size_t room = width > taken ? width - taken : 0;
	const char *what = progress->what;
	bool cut = strlen(what) > room;

	if (cut) {
		room = room > strlen(ELLIPSIS) ? room - strlen(ELLIPSIS) : 0;
		what = last_of(what, room);
	}
	(void)fprintf(stderr, "%s%s%s%s%s", progress->terminal ? ERASE : "",
	    cut ? ELLIPSIS : "", what, facts, progress->terminal ? "" : "\n");
	(void)fflush(stderr);
}

static void
format_facts(
    const struct progress *progress, int64_t now_ms, char facts[FACTS_BYTES])
{
	int64_t spent_ms = now_ms - progress->started_ms;
	uint64_t rate =
	    spent_ms > 0 ? progress->bytes * 1000 / (uint64_t)spent_ms : 0;
	char size[TEXT_SIZE_BYTES];
	char speed[TEXT_SIZE_BYTES];
	char share[64];

	format_share(progress, spent_ms, share, sizeof(share));
	(void)snprintf(facts, FACTS_BYTES, "  %s  %s/s%s",
	    text_show_size(size, progress->bytes), text_show_size(speed, rate),
	    share);
}

/* Whether it is time for a line that people see. */
static bool
show_is_due(const struct progress *progress, int64_t now_ms)
{
	int64_t every_ms =
	    progress->terminal ? TERMINAL_EVERY_MS : LOG_EVERY_MS;

	return progress->enabled && now_ms - progress->shown_ms >= every_ms;
}

void
progress_advance(struct progress *progress, uint64_t bytes)
{
	int64_t now_ms;
	bool show;
	char facts[FACTS_BYTES];

	if (!progress->active || (!progress->enabled && !progress->notifies))
		return;
	progress->bytes = bytes;
	now_ms = clock_now_ms();
	show = show_is_due(progress, now_ms);
	if (!show && !notify_is_due(progress, now_ms))
		return;
	format_facts(progress, now_ms, facts);
	notify(progress, facts, now_ms);
	if (!show)
		return;
	print_line(progress, facts);
	progress->shown = progress->terminal;
	progress->shown_ms = now_ms;
}

void
progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	(void)fputs(ERASE, stderr);
	(void)fflush(stderr);
	progress->shown = false;
}

void
progress_stop(struct progress *progress)
{
	progress_clear(progress);
	progress->active = false;
}
