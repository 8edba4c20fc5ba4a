/* adopt.h - archives that this host takes as its own */

#ifndef ANKLUME_TRANSFER_ADOPT_H
#define ANKLUME_TRANSFER_ADOPT_H

#include <stdbool.h>

#include "base/json.h"
#include "transfer/origin.h"

struct error;
struct watch;

struct adopt_request {
	const char *directory; /* and the directories directly below it */
	struct signature_demand signature;
	bool dry_run;
};

/* Read each archive of a directory, compare it with its manifest, say what it
 * is, ask once, and list what was found whole in this host's record: its origin
 * is "this host" from then on. What has no manifest is refused, since nothing
 * says whose it is. *ret_archives gets an object for each (docs/formats.md,
 * "backup adopt"), on failure, too, and is the caller's; it may be NULL.
 *
 * An only archive that is refused fails with its own error; of several,
 * ERROR_PARTIAL when some were. ERROR_NOT_FOUND when there is none. */
int backup_adopt(const struct adopt_request *request, const struct watch *watch,
    json_t **ret_archives, struct error *err);

#endif
