/* retention.h - which backups of one instance to keep, by restic's rules
 *
 * As `restic forget` (internal/data/snapshot_policy.go): a rule keeps the
 * newest of each period that has one, so many periods back from the newest, and
 * the oldest of all while the count is not used up. */

#ifndef ANKLUME_STORE_RETENTION_H
#define ANKLUME_STORE_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/duration.h"

enum retention_period {
	RETENTION_LAST, /* each is a period of its own */
	RETENTION_HOURLY,
	RETENTION_DAILY,
	RETENTION_WEEKLY, /* ISO 8601 */
	RETENTION_MONTHLY,
	RETENTION_YEARLY,
	RETENTION_PERIODS
};

struct retention_rules {
	unsigned int counts[RETENTION_PERIODS];
	struct duration within; /* of the newest that is not in the future; zero
				 * is no rule */
};

/* Whether they keep nothing. */
bool retention_is_empty(const struct retention_rules *rules);

/* "last", "hourly" ... Static, untranslated. */
const char *retention_name(enum retention_period period);

struct retention_item {
	time_t when;
	/* Set: the rules that keep it. */
	bool kept[RETENTION_PERIODS];
	bool within;
};

bool retention_keeps(const struct retention_item *item);

/* Judge them; the newest stands first. Periods are those of local time. */
void retention_apply(const struct retention_rules *rules, time_t now,
    struct retention_item *items, size_t count);

#endif
