/* progress.h - how far it is: a line on a terminal, a line now and then in a
 * log, a status for the service manager */

#ifndef ANKLUME_CLI_PROGRESS_H
#define ANKLUME_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool enabled;
	bool notifies;
	bool terminal;
	bool active;
	char what[128];
	uint64_t total_bytes; /* 0: not known */
	uint64_t bytes;
	int64_t started_ms;
	int64_t shown_ms;
	int64_t notified_ms;
	bool shown;
};

/* On standard error; `quiet` shows nothing. The service manager asks for itself
 * (base/notify.h), and is told all the same. */
void progress_init(struct progress *progress, bool quiet);

void progress_start(
    struct progress *progress, const char *what, uint64_t total_bytes);
void progress_advance(struct progress *progress, uint64_t bytes);

/* Also takes the line away, so that something else can be printed. */
void progress_stop(struct progress *progress);

/* Take the line away for a moment; the next advance brings it back. */
void progress_clear(struct progress *progress);

#endif
