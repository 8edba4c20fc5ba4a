#include "transfer/spool_plan.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/spool.h"
#include "transfer/previous_backup.h"

/* What the daemon spools is packed less than our gzip does (125 MB and 100 of
 * 204, incus/spooled_export.c); what grew since comes on top. */
#define SPARE_PERCENT 45

int
spool_plan_make(
    struct incus_client *client, struct spool_plan *ret_plan, struct error *err)
{
	int used = incus_spool_is_used(client, err);
	int known = used > 0
			? incus_spool_room(client, &ret_plan->room_bytes, err)
			: used;

	ret_plan->limited = known > 0;
	return known < 0 ? -1 : 0;
}

uint64_t
spool_plan_need(struct incus_client *client, const char *directory,
    const struct backup_subject *of)
{
	struct error ignored = {0};
	const struct incus_server *server =
	    incus_client_server(client, &ignored);
	auto_json json_t *before = NULL;
	const char *compression;
	uint64_t size;

	if (server == NULL ||
	    previous_backup(directory, server, of, &before) == 0)
		return 0;
	compression = json_text(before, "compression");
	if (compression == NULL || strcmp(compression, "none") == 0)
		return (uint64_t)json_number(before, "tar_size_bytes");
	size = (uint64_t)json_number(before, "size_bytes");
	return size + size / 100 * SPARE_PERCENT;
}

int
spool_plan_check(
    const struct spool_plan *plan, uint64_t need_bytes, struct error *err)
{
	char room[TEXT_SIZE_BYTES];
	char need[TEXT_SIZE_BYTES];

	if (!plan->limited || need_bytes <= plan->room_bytes)
		return 0;
	error_set(err, ERROR_NO_SPACE,
	    _("the daemon's spool has %s free, and the export needs about %s"),
	    text_show_size(room, plan->room_bytes),
	    text_show_size(need, need_bytes));
	return error_hint(
	    err, "incus config set storage.backups_volume POOL/VOLUME");
}
