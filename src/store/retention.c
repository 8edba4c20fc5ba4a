#include "store/retention.h"

#include <limits.h>

static const char *const names[RETENTION_PERIODS] = {
    [RETENTION_LAST] = "last",
    [RETENTION_HOURLY] = "hourly",
    [RETENTION_DAILY] = "daily",
    [RETENTION_WEEKLY] = "weekly",
    [RETENTION_MONTHLY] = "monthly",
    [RETENTION_YEARLY] = "yearly",
};

const char *
retention_name(enum retention_period period)
{
	return names[period];
}

bool
retention_is_empty(const struct retention_rules *rules)
{
	for (size_t i = 0; i < RETENTION_PERIODS; i++) {
		if (rules->counts[i] > 0)
			return false;
	}
	return duration_is_zero(&rules->within);
}

bool
retention_keeps(const struct retention_item *item)
{
	for (size_t i = 0; i < RETENTION_PERIODS; i++) {
		if (item->kept[i])
			return true;
	}
	return item->within;
}

/* The number of the ISO week, with its year (strftime(3), %G and %V). */
static long
week_of(const struct tm *parts)
{
	/* The week belongs to the year of its Thursday. */
	struct tm thursday = *parts;

	thursday.tm_mday += 3 - (parts->tm_wday + 6) % 7;
	thursday.tm_hour = 12;
	thursday.tm_isdst = -1;
	(void)mktime(&thursday);
	return thursday.tm_year * 100L + thursday.tm_yday / 7;
}

/* The same number for all of one period. */
static long
bucket_of(enum retention_period period, time_t when, size_t index)
{
	struct tm parts = {0};

	(void)localtime_r(&when, &parts);
	switch (period) {
	case RETENTION_HOURLY:
		return ((parts.tm_year * 12L + parts.tm_mon) * 31 +
			   parts.tm_mday) *
			   24 +
		       parts.tm_hour;
	case RETENTION_DAILY:
		return (parts.tm_year * 12L + parts.tm_mon) * 32 +
		       parts.tm_mday;
	case RETENTION_WEEKLY:
		return week_of(&parts);
	case RETENTION_MONTHLY:
		return parts.tm_year * 12L + parts.tm_mon;
	case RETENTION_YEARLY:
		return parts.tm_year;
	case RETENTION_LAST:
	case RETENTION_PERIODS:
		break;
	}
	return (long)index;
}

static void
apply_count(enum retention_period period, unsigned int count,
    struct retention_item *items, size_t item_count)
{
	long last = LONG_MIN;

	for (size_t i = 0; i < item_count && count > 0; i++) {
		long bucket = bucket_of(period, items[i].when, i);

		if (bucket == last && i + 1 < item_count)
			continue;
		items[i].kept[period] = true;
		last = bucket;
		count--;
	}
}

static void
apply_within(const struct retention_rules *rules, time_t now,
    struct retention_item *items, size_t count)
{
	time_t newest = 0;
	time_t border;

	for (size_t i = 0; i < count; i++) {
		if (items[i].when < now && items[i].when > newest)
			newest = items[i].when;
	}
	border = duration_before(&rules->within, newest);
	for (size_t i = 0; i < count; i++)
		items[i].within = items[i].when > border;
}

void
retention_apply(const struct retention_rules *rules, time_t now,
    struct retention_item *items, size_t count)
{
	for (size_t i = 0; i < RETENTION_PERIODS; i++)
		apply_count(
		    (enum retention_period)i, rules->counts[i], items, count);
	if (!duration_is_zero(&rules->within))
		apply_within(rules, now, items, count);
}
