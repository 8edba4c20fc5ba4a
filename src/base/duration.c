#include "base/duration.h"

#include <stddef.h>

#define NUMBER_MAX 10000

static int *
part_of(struct duration *duration, char unit)
{
	switch (unit) {
	case 'y':
		return &duration->years;
	case 'm':
		return &duration->months;
	case 'd':
		return &duration->days;
	case 'h':
		return &duration->hours;
	default:
		return NULL;
	}
}

bool
duration_parse(const char *text, struct duration *ret_duration)
{
	struct duration duration = {0};

	if (*text == '\0')
		return false;
	while (*text != '\0') {
		const char *digits = text;
		int number = 0;
		int *part;

		while (*text >= '0' && *text <= '9' && number <= NUMBER_MAX)
			number = 10 * number + (*text++ - '0');
		part = part_of(&duration, *text);
		if (text == digits || number > NUMBER_MAX || part == NULL)
			return false;
		*part += number;
		if (*part > NUMBER_MAX)
			return false;
		text++;
	}
	*ret_duration = duration;
	return true;
}

bool
duration_is_zero(const struct duration *duration)
{
	return duration->years == 0 && duration->months == 0 &&
	       duration->days == 0 && duration->hours == 0;
}

time_t
duration_before(const struct duration *duration, time_t when)
{
	struct tm parts;

	if (localtime_r(&when, &parts) == NULL)
		return when;
	parts.tm_year -= duration->years;
	parts.tm_mon -= duration->months;
	parts.tm_mday -= duration->days;
	parts.tm_isdst = -1;
	return mktime(&parts) - (time_t)duration->hours * 3600;
}
