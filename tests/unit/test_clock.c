#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "support.h"

static void
now_goes_forward(void **state)
{
	int64_t before = clock_now_ms();

	(void)state;
	assert_true(before > 0);
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_now_ms();

		assert_true(now >= before);
		before = now;
	}
}

static void
left_is_what_poll_takes(void **state)
{
	int64_t now = clock_now_ms();
	int left;

	(void)state;
	assert_int_equal(clock_left_ms(0), 0);
	assert_int_equal(clock_left_ms(now - 1), 0);
	assert_int_equal(clock_left_ms(now + (INT64_C(1) << 40)), INT_MAX);
	left = clock_left_ms(now + 3600 * 1000);
	assert_in_range(left, 1, 3600 * 1000);
	/* Deadlines that a wrong sum has made. */
	assert_int_equal(clock_left_ms(INT64_MAX), INT_MAX);
	assert_int_equal(clock_left_ms(-1), 0);
}

static void
utc_is_rfc3339(void **state)
{
	static const struct {
		time_t when;
		const char *text;
	} cases[] = {
	    {0, "1970-01-01T00:00:00Z"},
	    {951782400, "2000-02-29T00:00:00Z"},
	    {1795316645, "2026-11-22T03:04:05Z"},
	    {-1, "1969-12-31T23:59:59Z"},
	    {4102444800, "2100-01-01T00:00:00Z"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[CLOCK_TEXT_BYTES];

		assert_ptr_equal(clock_utc(buf, cases[i].when), buf);
		assert_string_equal(buf, cases[i].text);
	}
}

static void
stamp_is_local_time(void **state)
{
	char buf[CLOCK_TEXT_BYTES];

	(void)state;
	assert_int_equal(setenv("TZ", "XXX-02:30", 1), 0);
	tzset();
	assert_ptr_equal(clock_local_stamp(buf, 1795316645), buf);
	assert_string_equal(buf, "20261122-053405");
	assert_string_equal(
	    clock_local(buf, 1795316645), "2026-11-22 05:34:05");
	assert_string_equal(clock_utc(buf, 1795316645), "2026-11-22T03:04:05Z");
}

static void
times_are_read(void **state)
{
	static const struct {
		const char *text;
		time_t when;
	} cases[] = {
	    {"2026-11-22T03:04:05Z", 1795316645},
	    {"2026-11-22 03:04:05Z", 1795316645},
	    {"2026-11-22T05:34:05", 1795316645},
	    {"2026-11-22 05:34", 1795316640},
	    {"2026-11-22", 1795316640 - 334 * 60},
	    {"2026-11-22Z", 1795305600},
	    {"1970-01-01T00:00:00Z", 0},
	    {"2000-02-29Z", 951782400},
	    {"today", 1795316640 - 334 * 60},
	    {"yesterday", 1795316640 - (334 + 24 * 60) * 60},
	};

	(void)state;
	assert_int_equal(setenv("TZ", "XXX-02:30", 1), 0);
	tzset();
	for (size_t i = 0; i < COUNT(cases); i++) {
		time_t when = 7;

		assert_true(clock_parse(cases[i].text, 1795316645, &when));
		assert_int_equal(when, cases[i].when);
	}
}

static void
other_words_are_no_times(void **state)
{
	static const char *const words[] = {"", "x", "now", "Today", "2026",
	    "2026-11", "2026-11-", "2026-1-22", "26-11-22", "2026/11/22",
	    "2026-11-22T", "2026-11-22T03", "2026-11-22T03:", "2026-11-22T03:4",
	    "2026-11-22T03:04:", "2026-11-22T03:04:05+01:00",
	    "2026-11-22T03:04:05ZZ", "2026-11-22x03:04", "2026-13-01",
	    "2026-00-01", "2026-01-00", "2026-02-30", "2026-02-29Z",
	    "2026-11-22T24:00", "2026-11-22T03:60", "2026-11-22T03:04:60",
	    "-026-11-22", " 2026-11-22", "2026-11-22 ", "todays"};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		time_t when = 7;

		if (clock_parse(words[i], 0, &when))
			fail_msg("'%s' was read", words[i]);
		assert_int_equal(when, 7);
	}
}

/* Midnight, also where yesterday had 23 or 25 hours. */
static void
yesterday_has_its_own_length(void **state)
{
	time_t when = 0;

	(void)state;
	assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
	tzset();
	/* 2026-10-26 12:00 CET; summer time ended on the 25th. */
	assert_true(clock_parse("yesterday", 1793012400, &when));
	assert_int_equal(when, 1792879200);
	assert_true(clock_parse("2026-10-25", 0, &when));
	assert_int_equal(when, 1792879200);
}

/* A time that came from an archive may be anything. */
static void
absurd_times_stay_inside(void **state)
{
	static const time_t times[] = {
	    INT64_MAX, INT64_MIN, INT64_C(1) << 55, -(INT64_C(1) << 40)};

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		char buf[CLOCK_TEXT_BYTES];

		clock_utc(buf, times[i]);
		clock_local_stamp(buf, times[i]);
		clock_local(buf, times[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(now_goes_forward),
	    cmocka_unit_test(left_is_what_poll_takes),
	    cmocka_unit_test(utc_is_rfc3339),
	    cmocka_unit_test(stamp_is_local_time),
	    cmocka_unit_test(times_are_read),
	    cmocka_unit_test(other_words_are_no_times),
	    cmocka_unit_test(yesterday_has_its_own_length),
	    cmocka_unit_test(absurd_times_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
