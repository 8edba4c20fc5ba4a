#include "base/duration.h"

#include <stdlib.h>
#include <time.h>

#include "support.h"

static void
numbers_and_units(void **state)
{
	static const char *const wrong[] = {"", "5", "d", "5w", "5d3", "-1d",
	    " 5d", "5 d", "5D", "10001d", "99999999999999999999d", "6000d6000d",
	    "1.5d"};
	struct duration found = {0};

	(void)state;
	assert_true(duration_parse("1y6m7d12h", &found));
	assert_int_equal(found.years, 1);
	assert_int_equal(found.months, 6);
	assert_int_equal(found.days, 7);
	assert_int_equal(found.hours, 12);
	assert_true(duration_parse("12h2d12h", &found));
	assert_int_equal(found.years, 0);
	assert_int_equal(found.hours, 24);
	assert_true(duration_parse("0d", &found));
	assert_true(duration_parse("10000h", &found));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(duration_parse(wrong[i], &found));
}

static time_t
utc(int year, int month, int day, int hour)
{
	struct tm parts = {.tm_year = year - 1900,
	    .tm_mon = month - 1,
	    .tm_mday = day,
	    .tm_hour = hour};

	return timegm(&parts);
}

static void
check(const char *text, time_t when, time_t before)
{
	struct duration duration = {0};

	assert_true(duration_parse(text, &duration));
	assert_int_equal(duration_before(&duration, when), before);
}

static void
the_calendar_counts(void **state)
{
	(void)state;
	check("0d", utc(2026, 3, 31, 5), utc(2026, 3, 31, 5));
	check("1m", utc(2026, 3, 31, 5), utc(2026, 3, 3, 5));
	check("1y", utc(2024, 2, 29, 0), utc(2023, 3, 1, 0));
	check("1d", utc(2026, 1, 1, 0), utc(2025, 12, 31, 0));
	check("36h", utc(2026, 1, 2, 0), utc(2025, 12, 31, 12));
	check("2y5m7d3h", utc(2026, 11, 22, 10), utc(2024, 6, 15, 7));
}

/* A day has 25 hours where the clock goes back. */
static void
days_are_the_wall_clocks(void **state)
{
	(void)state;
	assert_int_equal(setenv("TZ", "Europe/Paris", 1), 0);
	tzset();
	check("1d", utc(2026, 10, 25, 11), utc(2026, 10, 24, 10));
	check("24h", utc(2026, 10, 25, 11), utc(2026, 10, 24, 11));
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_and_units),
	    cmocka_unit_test(the_calendar_counts),
	    cmocka_unit_test(days_are_the_wall_clocks),
	};

	(void)setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
