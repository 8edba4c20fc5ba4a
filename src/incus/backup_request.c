#include "incus/backup_request.h"

#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "incus/backup.h"
#include "incus/client.h"

json_t *
backup_request_body(const struct backup_subject *of,
    const struct backup_options *options, const char *compression,
    const char *name)
{
	char expires[CLOCK_TEXT_BYTES];

	/* "instance_only", or of a volume "volume_only". */
	return json_pack("{s:s, s:b, s:b, s:s, s:s*}", "compression_algorithm",
	    compression,
	    backup_subject_is_volume(of) ? "volume_only" : "instance_only",
	    options->instance_only, "optimized_storage", 0, "expires_at",
	    clock_utc(expires, time(NULL) + BACKUP_EXPIRY_S), "name", name);
}

int
backup_request_refused(const struct http_reply *reply, struct error *err)
{
	auto_json json_t *envelope = incus_open_reply(reply, err);

	if (envelope == NULL)
		return -1;
	return error_set(err, ERROR_FAILED,
	    _("the daemon answers with something else than the export"));
}
