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
	assert_string_equal(clock_utc(buf, 1795316645), "2026-11-22T03:04:05Z");
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
	    cmocka_unit_test(absurd_times_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
