/* duration.h - a length of calendar time, as restic spells it: "1y6m7d12h" */

#ifndef ANKLUME_BASE_DURATION_H
#define ANKLUME_BASE_DURATION_H

#include <stdbool.h>
#include <time.h>

struct duration {
	int years;
	int months;
	int days;
	int hours;
};

/* A number and "y", "m", "d" or "h", once or more often; no number is above
 * 10,000. False for anything else. */
bool duration_parse(const char *text, struct duration *ret_duration);

bool duration_is_zero(const struct duration *duration);

/* That long before `when`: years, months and days by the local calendar, where
 * the 31st of a shorter month is a day of the next one, hours by the clock. */
time_t duration_before(const struct duration *duration, time_t when);

#endif
