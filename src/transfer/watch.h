/* watch.h - how a transfer tells what it does; nothing here prints
 *
 * The functions may be called with a NULL watch, and any member may be NULL. */

#ifndef ANKLUME_TRANSFER_WATCH_H
#define ANKLUME_TRANSFER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct watch {
	void *data;

	/* Bytes begin to move; total_bytes is 0 when not known. */
	void (*start)(void *data, const char *what, uint64_t total_bytes);
	void (*advance)(void *data, uint64_t bytes);
	void (*stop)(void *data);

	/* All has come from where it comes from; what follows is on this side.
	 */
	void (*received)(void *data);

	/* A remark that is not a failure: what was left out, what to mind. */
	void (*note)(void *data, const char *text);

	/* What is being done, for --verbose; NULL when nobody listens. */
	void (*detail)(void *data, const char *text);

	/* A yes-or-no question before something is replaced. False is no. */
	bool (*confirm)(void *data, const char *question);
};

void watch_start(
    const struct watch *watch, const char *what, uint64_t total_bytes);
void watch_advance(const struct watch *watch, uint64_t bytes);
void watch_stop(const struct watch *watch);
void watch_received(const struct watch *watch);
void watch_note(const struct watch *watch, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void watch_detail(const struct watch *watch, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool watch_wants_details(const struct watch *watch);
bool watch_confirm(const struct watch *watch, const char *question);

/* For a meter. */
struct meter_watch watch_meter(const struct watch *watch);

#endif
