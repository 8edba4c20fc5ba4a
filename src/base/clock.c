#include "base/clock.h"

#include <limits.h>
#include <stdio.h>

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
