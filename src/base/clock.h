/* clock.h - time that only goes forward, and time as archives spell it */

#ifndef ANKLUME_BASE_CLOCK_H
#define ANKLUME_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_now_ms(void);

/* Milliseconds left until `deadline_ms`, for poll(2): 0..INT_MAX. */
int clock_left_ms(int64_t deadline_ms);

/* Room for any form below. */
#define CLOCK_TEXT_BYTES 40

/* RFC 3339 in UTC with seconds, "2026-11-22T03:04:05Z". Returns buf. */
char *clock_utc(char buf[CLOCK_TEXT_BYTES], time_t when);

/* "20261122-030405" in local time, as in archive and snapshot names. */
char *clock_local_stamp(char buf[CLOCK_TEXT_BYTES], time_t when);

/* "2026-11-22 03:04:05" in local time, for a person. */
char *clock_local(char buf[CLOCK_TEXT_BYTES], time_t when);

/* Read RFC 3339 in any zone, with or without a fraction, which is dropped. */
bool clock_parse_rfc3339(const char *text, time_t *ret_when);

/* Read a time: "2026-11-22", "2026-11-22 03:04", "2026-11-22T03:04:05", local,
 * or UTC with a "Z" behind; "today" and "yesterday", which begin at midnight.
 * False for anything else, also for a day that the calendar does not have. */
bool clock_parse(const char *text, time_t now, time_t *ret_when);

/* The same for what such a word names: a day, a minute or a second, which ends
 * before *ret_end. */
bool clock_parse_span(
    const char *text, time_t now, time_t *ret_begin, time_t *ret_end);

#endif
