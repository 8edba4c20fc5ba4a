#include "transfer/snapshot_expiry.h"

#include <stdbool.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/snapshot.h"
#include "stream/backup_index.h"
#include "transfer/watch.h"

/* Go's zero time, which stands for none. */
static bool
has_end(const char *expires_at)
{
	return expires_at != NULL && !text_starts_with(expires_at, "0001-");
}

static int
restore_one(struct incus_client *client, const struct instance_ref *instance,
    const json_t *definition, const struct watch *watch, struct error *err)
{
	const char *name = json_text(definition, "name");
	const char *expires_at = json_text(definition, "expires_at");
	time_t when;

	if (name == NULL || !has_end(expires_at))
		return 0;
	if (!clock_parse_rfc3339(expires_at, &when) || when <= time(NULL)) {
		watch_note(watch,
		    _("the snapshot '%s' should have ended on %.10s: it stays "
		      "until it is deleted"),
		    name, expires_at);
		return 0;
	}
	return incus_snapshot_set_end(client, instance, name, expires_at, err);
}

int
snapshot_expiry_restore(struct incus_client *client,
    const struct instance_ref *instance, const struct backup_index *index,
    const struct watch *watch, struct error *err)
{
	const json_t *one;
	size_t i;

	json_array_foreach(index->snapshot_definitions, i, one)
	{
		if (restore_one(client, instance, one, watch, err) < 0)
			return -1;
	}
	return 0;
}
