/* clock.h - time that only goes forward, and time as archives spell it */

#ifndef ANKLUME_BASE_CLOCK_H
#define ANKLUME_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

struct error;

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_now_ms(void);

/* Milliseconds left until `deadline_ms`, for poll(2): 0..INT_MAX. */
int clock_left_ms(int64_t deadline_ms);

/* Room for either form below. */
#define CLOCK_TEXT_BYTES 40

/* RFC 3339 in UTC with seconds, "2026-11-22T03:04:05Z". Returns buf. */
char *clock_utc(char buf[CLOCK_TEXT_BYTES], time_t when);

/* "20261122-030405" in local time, as in archive and snapshot names. */
char *clock_local_stamp(char buf[CLOCK_TEXT_BYTES], time_t when);

#endif
