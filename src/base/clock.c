#include "base/clock.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

int64_t
clock_now_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
clock_left_ms(int64_t deadline_ms)
{
	int64_t left = deadline_ms - clock_now_ms();

	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

char *
clock_utc(char buf[CLOCK_TEXT_BYTES], time_t when)
{
	struct tm parts = {0};

	(void)gmtime_r(&when, &parts);
	if (strftime(buf, CLOCK_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		buf[0] = '\0';
	return buf;
}

char *
clock_local_stamp(char buf[CLOCK_TEXT_BYTES], time_t when)
{
	struct tm parts = {0};

	(void)localtime_r(&when, &parts);
	if (strftime(buf, CLOCK_TEXT_BYTES, "%Y%m%d-%H%M%S", &parts) == 0)
		buf[0] = '\0';
	return buf;
}

char *
clock_local(char buf[CLOCK_TEXT_BYTES], time_t when)
{
	struct tm parts = {0};

	(void)localtime_r(&when, &parts);
	if (strftime(buf, CLOCK_TEXT_BYTES, "%Y-%m-%d %H:%M:%S", &parts) == 0)
		buf[0] = '\0';
	return buf;
}

/* Exactly so many digits, after a separator where there is to be one. */
static bool
take(const char **text, const char *separators, size_t digits, int *ret_value)
{
	const char *next = *text;
	int value = 0;

	if (*separators != '\0' &&
	    (*next == '\0' || strchr(separators, *next++) == NULL))
		return false;
	for (size_t i = 0; i < digits; i++, next++) {
		if (*next < '0' || *next > '9')
			return false;
		value = value * 10 + (*next - '0');
	}
	*text = next;
	*ret_value = value;
	return true;
}

static bool
take_date_and_time(const char **text, struct tm *parts)
{
	if (!take(text, "", 4, &parts->tm_year) ||
	    !take(text, "-", 2, &parts->tm_mon) ||
	    !take(text, "-", 2, &parts->tm_mday))
		return false;
	parts->tm_year -= 1900;
	parts->tm_mon -= 1;
	if (**text == '\0' || **text == 'Z')
		return true;
	if (!take(text, " T", 2, &parts->tm_hour) ||
	    !take(text, ":", 2, &parts->tm_min))
		return false;
	return **text != ':' || take(text, ":", 2, &parts->tm_sec);
}

static time_t
midnight(time_t now, int days)
{
	struct tm parts = {0};

	(void)localtime_r(&now, &parts);
	parts.tm_mday += days;
	parts.tm_hour = 0;
	parts.tm_min = 0;
	parts.tm_sec = 0;
	parts.tm_isdst = -1;
	return mktime(&parts);
}

bool
clock_parse_rfc3339(const char *text, time_t *ret_when)
{
	struct tm parts = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
	long offset_s;

	if (rest == NULL)
		return false;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	rest = strptime(rest, "%z", &parts);
	if (rest == NULL || *rest != '\0')
		return false;
	offset_s = parts.tm_gmtoff;
	*ret_when = timegm(&parts) - offset_s;
	return true;
}

bool
clock_parse(const char *text, time_t now, time_t *ret_when)
{
	struct tm parts = {.tm_isdst = -1};
	struct tm asked;
	time_t when;
	bool utc;

	if (strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0) {
		*ret_when = midnight(now, *text == 't' ? 0 : -1);
		return true;
	}
	if (!take_date_and_time(&text, &parts))
		return false;
	utc = strcmp(text, "Z") == 0;
	if (!utc && *text != '\0')
		return false;
	asked = parts;
	when = utc ? timegm(&parts) : mktime(&parts);
	/* February 30 has become a day in March. */
	if (asked.tm_mon != parts.tm_mon || asked.tm_mday != parts.tm_mday ||
	    asked.tm_hour > 23 || asked.tm_min > 59 || asked.tm_sec > 59)
		return false;
	*ret_when = when;
	return true;
}

bool
clock_parse_span(
    const char *text, time_t now, time_t *ret_begin, time_t *ret_end)
{
	const char *colon = strchr(text, ':');
	time_t begin;

	if (!clock_parse(text, now, &begin))
		return false;
	*ret_begin = begin;
	if (colon != NULL)
		*ret_end = begin + (strchr(colon + 1, ':') != NULL ? 1 : 60);
	else if (text_ends_with(text, "Z"))
		*ret_end = begin + 24 * 60 * 60;
	else
		*ret_end = midnight(begin, 1);
	return true;
}
