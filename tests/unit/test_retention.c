#include "store/retention.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "support.h"

#define ITEMS_MAX 12

/* Later than all dates here. */
#define NOW "2030-01-01T00:00:00Z"

/* The rules, one period or `within`, a history with the newest first, and for
 * each whether it stays: "+" or "-". */
struct example {
	enum retention_period period;
	unsigned int count;
	const char *within;
	const char *stay;
	const char *dates[ITEMS_MAX];
};

static time_t
at(const char *text)
{
	time_t when = 0;

	assert_true(clock_parse_rfc3339(text, &when));
	return when;
}

static void
zone(const char *name)
{
	assert_int_equal(setenv("TZ", name, 1), 0);
	tzset();
}

static struct retention_rules
rules_of(const struct example *example)
{
	struct retention_rules rules = {0};

	if (example->within == NULL)
		rules.counts[example->period] = example->count;
	else
		assert_true(duration_parse(example->within, &rules.within));
	return rules;
}

static void
check(const struct example *example)
{
	struct retention_rules rules = rules_of(example);
	struct retention_item items[ITEMS_MAX] = {0};
	char stay[ITEMS_MAX + 1] = "";
	size_t count = strlen(example->stay);

	for (size_t i = 0; i < count; i++)
		items[i].when = at(example->dates[i]);
	retention_apply(&rules, at(NOW), items, count);
	for (size_t i = 0; i < count; i++)
		stay[i] = retention_keeps(&items[i]) ? '+' : '-';
	assert_string_equal(stay, example->stay);
}

static void
check_all(const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(&examples[i]);
}

#define CHECK(...)                                                             \
	do {                                                                   \
		static const struct example examples[] = {__VA_ARGS__};        \
		check_all(examples, COUNT(examples));                          \
	} while (0)

static void
each_period(void **state)
{
	(void)state;
	CHECK({RETENTION_LAST, 2, NULL, "++--",
		  {"2026-03-01T00:00:03Z", "2026-03-01T00:00:02Z",
		      "2026-03-01T00:00:01Z", "2020-03-01T00:00:00Z"}},
	    {RETENTION_HOURLY, 2, NULL, "+-+-",
		{"2026-03-01T10:59:59Z", "2026-03-01T10:00:00Z",
		    "2026-03-01T09:59:59Z", "2026-03-01T08:00:00Z"}},
	    {RETENTION_DAILY, 2, NULL, "+-+--",
		{"2026-03-01T23:59:59Z", "2026-03-01T00:00:00Z",
		    "2026-02-28T23:59:59Z", "2026-02-28T10:00:00Z",
		    "2026-02-27T10:00:00Z"}},
	    {RETENTION_MONTHLY, 2, NULL, "+-+-",
		{"2026-01-31T00:00:00Z", "2026-01-01T00:00:00Z",
		    "2025-12-31T23:59:59Z", "2025-11-01T00:00:00Z"}},
	    {RETENTION_YEARLY, 2, NULL, "+-+-",
		{"2026-12-31T00:00:00Z", "2026-01-01T00:00:00Z",
		    "2025-12-31T23:59:59Z", "2024-11-01T00:00:00Z"}});
}

/* The same hour, day or month of another day, month or year. */
static void
periods_do_not_repeat(void **state)
{
	(void)state;
	CHECK({RETENTION_HOURLY, 3, NULL, "+++",
		  {"2026-03-02T10:00:00Z", "2026-03-01T10:00:00Z",
		      "2026-02-01T10:00:00Z"}},
	    {RETENTION_DAILY, 4, NULL, "++++-",
		{"2026-03-01T10:00:00Z", "2026-02-01T10:00:00Z",
		    "2026-01-31T10:00:00Z", "2025-01-31T10:00:00Z",
		    "2025-01-31T09:00:00Z"}},
	    {RETENTION_WEEKLY, 2, NULL, "++",
		{"2026-03-04T10:00:00Z", "2025-03-05T10:00:00Z"}},
	    {RETENTION_MONTHLY, 2, NULL, "++",
		{"2026-03-01T10:00:00Z", "2025-03-01T10:00:00Z"}});
}

/* ISO 8601: 2026-W01 begins on Monday, December 29, 2025; 2026 has 53 weeks,
 * and the last goes on until January 3, 2027. */
static void
weeks_over_the_end_of_a_year(void **state)
{
	(void)state;
	CHECK({RETENTION_WEEKLY, 3, NULL, "+--+-+-",
		  {"2026-01-04T23:59:59Z", "2026-01-01T00:00:00Z",
		      "2025-12-29T00:00:00Z", "2025-12-28T23:59:59Z",
		      "2025-12-22T00:00:00Z", "2025-12-21T00:00:00Z",
		      "2025-12-01T00:00:00Z"}},
	    {RETENTION_WEEKLY, 3, NULL, "+--+-+-",
		{"2027-01-10T00:00:00Z", "2027-01-04T00:00:00Z",
		    "2027-01-04T00:00:00Z", "2027-01-03T23:00:00Z",
		    "2026-12-28T00:00:00Z", "2026-12-27T00:00:00Z",
		    "2026-12-01T00:00:00Z"}});
}

static void
the_oldest_stays_while_the_count_is_not_used_up(void **state)
{
	(void)state;
	CHECK({RETENTION_DAILY, 3, NULL, "+-+-+",
		  {"2026-03-02T10:00:00Z", "2026-03-02T09:00:00Z",
		      "2026-03-01T10:00:00Z", "2026-03-01T09:00:00Z",
		      "2026-03-01T08:00:00Z"}},
	    {RETENTION_DAILY, 2, NULL, "+-+--",
		{"2026-03-02T10:00:00Z", "2026-03-02T09:00:00Z",
		    "2026-03-01T10:00:00Z", "2026-03-01T09:00:00Z",
		    "2026-03-01T08:00:00Z"}},
	    {RETENTION_YEARLY, 2, NULL, "+-+",
		{"2026-03-03T10:00:00Z", "2026-03-02T10:00:00Z",
		    "2026-03-01T10:00:00Z"}});
}

/* In Paris, 2026: at 01:00 UTC the clock goes from 02:00 to 03:00 on March 29,
 * and from 03:00 to 02:00 on October 25. */
static void
where_the_clock_changes(void **state)
{
	(void)state;
	zone("Europe/Paris");
	CHECK({RETENTION_HOURLY, 2, NULL, "+-+-",
		  {"2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z",
		      "2026-10-24T23:30:00Z", "2026-10-24T22:30:00Z"}},
	    {RETENTION_HOURLY, 2, NULL, "++-",
		{"2026-03-29T01:30:00Z", "2026-03-29T00:30:00Z",
		    "2026-03-28T23:30:00Z"}},
	    {RETENTION_DAILY, 2, NULL, "+-+-",
		{"2026-10-25T22:59:59Z", "2026-10-24T22:00:00Z",
		    "2026-10-24T21:59:59Z", "2026-10-23T21:00:00Z"}},
	    {RETENTION_WEEKLY, 2, NULL, "+-+-",
		{"2026-03-29T21:59:59Z", "2026-03-22T23:00:00Z",
		    "2026-03-22T22:59:59Z", "2026-03-10T00:00:00Z"}},
	    {RETENTION_YEARLY, 2, NULL, "+-+-",
		{"2026-01-01T12:00:00Z", "2025-12-31T23:00:00Z",
		    "2025-12-31T22:59:59Z", "2024-06-01T00:00:00Z"}},
	    {.within = "1d",
		.stay = "++-",
		.dates = {"2026-10-25T11:00:00Z", "2026-10-24T10:00:01Z",
		    "2026-10-24T10:00:00Z"}},
	    {.within = "24h",
		.stay = "+-",
		.dates = {"2026-10-25T11:00:00Z", "2026-10-24T11:00:00Z"}});
	zone("UTC");
}

static void
within_of_the_newest(void **state)
{
	(void)state;
	CHECK({.within = "7d",
		  .stay = "++-",
		  .dates = {"2020-03-08T00:00:00Z", "2020-03-01T00:00:01Z",
		      "2020-03-01T00:00:00Z"}},
	    {.within = "1y1m",
		.stay = "++-",
		.dates = {"2021-03-08T00:00:00Z", "2020-02-08T00:00:01Z",
		    "2020-02-08T00:00:00Z"}},
	    {.within = "0d",
		.stay = "--",
		.dates = {"2031-03-08T00:00:00Z", "2020-03-08T00:00:00Z"}});
}

/* They stay, but the newest of now is the one that counts. */
static void
dates_in_the_future(void **state)
{
	(void)state;
	CHECK({.within = "7d",
		  .stay = "+++-",
		  .dates = {"2031-03-08T00:00:00Z", "2026-03-08T00:00:00Z",
		      "2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z"}},
	    {.within = "7d",
		.stay = "++",
		.dates = {"2032-03-08T00:00:00Z", "2031-03-08T00:00:00Z"}},
	    {RETENTION_DAILY, 1, NULL, "+-",
		{"2031-03-08T00:00:00Z", "2026-03-08T00:00:00Z"}});
}

static void
equal_times(void **state)
{
	(void)state;
	CHECK({RETENTION_LAST, 2, NULL, "++-",
		  {"2026-03-08T00:00:00Z", "2026-03-08T00:00:00Z",
		      "2026-03-08T00:00:00Z"}},
	    {RETENTION_HOURLY, 1, NULL, "+--",
		{"2026-03-08T00:00:00Z", "2026-03-08T00:00:00Z",
		    "2026-03-08T00:00:00Z"}},
	    {RETENTION_HOURLY, 2, NULL, "+-+",
		{"2026-03-08T00:00:00Z", "2026-03-08T00:00:00Z",
		    "2026-03-08T00:00:00Z"}});
}

static void
one_and_none(void **state)
{
	(void)state;
	for (enum retention_period i = 0; i < RETENTION_PERIODS; i++) {
		const struct example one = {
		    i, 1, NULL, "+", {"2026-03-08T00:00:00Z"}};
		const struct example none = {i, 1, NULL, "", {NULL}};
		const struct example zero = {i, 0, NULL, "--",
		    {"2026-03-08T00:00:00Z", "2026-03-07T00:00:00Z"}};
		const struct example many = {
		    i, 9999, NULL, "+", {"2026-03-08T00:00:00Z"}};

		check(&one);
		check(&none);
		check(&zero);
		check(&many);
	}
}

/* Each says for itself what it keeps. */
static void
several_rules(void **state)
{
	static const char *const dates[] = {"2026-03-08T12:00:00Z",
	    "2026-03-08T11:00:00Z", "2026-03-07T12:00:00Z",
	    "2026-02-07T12:00:00Z", "2026-01-07T12:00:00Z"};
	struct retention_rules rules = {.within = {.hours = 2}};
	struct retention_item items[COUNT(dates)] = {0};

	(void)state;
	rules.counts[RETENTION_DAILY] = 2;
	rules.counts[RETENTION_MONTHLY] = 2;
	for (size_t i = 0; i < COUNT(dates); i++)
		items[i].when = at(dates[i]);
	retention_apply(&rules, at(NOW), items, COUNT(items));
	for (size_t i = 0; i < COUNT(items); i++) {
		assert_int_equal(items[i].within, i < 2);
		assert_int_equal(
		    items[i].kept[RETENTION_DAILY], i == 0 || i == 2);
		assert_int_equal(
		    items[i].kept[RETENTION_MONTHLY], i == 0 || i == 3);
		assert_false(items[i].kept[RETENTION_LAST]);
		assert_int_equal(retention_keeps(&items[i]), i != 4);
	}
}

static void
rules_that_keep_nothing(void **state)
{
	struct retention_rules rules = {0};

	(void)state;
	assert_true(retention_is_empty(&rules));
	for (size_t i = 0; i < RETENTION_PERIODS; i++) {
		rules.counts[i] = 1;
		assert_false(retention_is_empty(&rules));
		rules.counts[i] = 0;
	}
	assert_true(duration_parse("0y0m0d0h", &rules.within));
	assert_true(retention_is_empty(&rules));
	assert_true(duration_parse("1h", &rules.within));
	assert_false(retention_is_empty(&rules));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_period),
	    cmocka_unit_test(periods_do_not_repeat),
	    cmocka_unit_test(weeks_over_the_end_of_a_year),
	    cmocka_unit_test(the_oldest_stays_while_the_count_is_not_used_up),
	    cmocka_unit_test(where_the_clock_changes),
	    cmocka_unit_test(within_of_the_newest),
	    cmocka_unit_test(dates_in_the_future),
	    cmocka_unit_test(equal_times),
	    cmocka_unit_test(one_and_none),
	    cmocka_unit_test(several_rules),
	    cmocka_unit_test(rules_that_keep_nothing),
	};

	zone("UTC");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
