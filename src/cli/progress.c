#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"

/* At most ten times a second for eyes, twice a minute for a log. */
#define TERMINAL_EVERY_MS 100
#define LOG_EVERY_MS 30000

void
progress_init(struct progress *progress, bool quiet)
{
	*progress = (struct progress){
	    .enabled = !quiet, .terminal = isatty(STDERR_FILENO) == 1};
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

static void
show(struct progress *progress, int64_t now_ms)
{
	int64_t spent_ms = now_ms - progress->started_ms;
	uint64_t rate =
	    spent_ms > 0 ? progress->bytes * 1000 / (uint64_t)spent_ms : 0;
	char size[TEXT_SIZE_BYTES];
	char speed[TEXT_SIZE_BYTES];
	char share[64];

	format_share(progress, spent_ms, share, sizeof(share));
	(void)fprintf(stderr, "%s%s  %s  %s/s%s%s",
	    progress->terminal ? "\r\033[K" : "", progress->what,
	    text_show_size(size, progress->bytes), text_show_size(speed, rate),
	    share, progress->terminal ? "" : "\n");
	(void)fflush(stderr);
	progress->shown = progress->terminal;
	progress->shown_ms = now_ms;
}

void
progress_advance(struct progress *progress, uint64_t bytes)
{
	int64_t every_ms =
	    progress->terminal ? TERMINAL_EVERY_MS : LOG_EVERY_MS;
	int64_t now_ms;

	if (!progress->enabled || !progress->active)
		return;
	progress->bytes = bytes;
	now_ms = clock_now_ms();
	if (now_ms - progress->shown_ms >= every_ms)
		show(progress, now_ms);
}

void
progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
	progress->shown = false;
}

void
progress_stop(struct progress *progress)
{
	progress_clear(progress);
	progress->active = false;
}
