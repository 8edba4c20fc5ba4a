/* progress.h - how far it is: a line on a terminal, a line now and then in a
 * log */

#ifndef ANKLUME_CLI_PROGRESS_H
#define ANKLUME_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool enabled;
	bool terminal;
	bool active;
	char what[128];
	uint64_t total_bytes; /* 0: not known */
	uint64_t bytes;
	int64_t started_ms;
	int64_t shown_ms;
	bool shown;
};

/* On standard error; `quiet` shows nothing. */
void progress_init(struct progress *progress, bool quiet);

void progress_start(
    struct progress *progress, const char *what, uint64_t total_bytes);
void progress_advance(struct progress *progress, uint64_t bytes);

/* Also takes the line away, so that something else can be printed. */
void progress_stop(struct progress *progress);

/* Take the line away for a moment; the next advance brings it back. */
void progress_clear(struct progress *progress);

#endif
