/* prune.h - old archives go, by rules, and never the one that is needed */

#ifndef ANKLUME_TRANSFER_PRUNE_H
#define ANKLUME_TRANSFER_PRUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "store/retention.h"

struct error;
struct watch;

struct prune_request {
	const char *const *words; /* [PROJECT/]INSTANCE,
				   * PROJECT/POOL/VOLUME; none: all */
	size_t word_count;
	const char *from;    /* a directory; NULL: backups/ */
	const char *project; /* of a word that says none; NULL: of any */
	struct retention_rules rules;
	const char *require_mount; /* NULL */
	int timeout_s;
	int64_t lock_wait_ms;
	bool dry_run;

	/* Told of each archive that was judged, and removed by then where it is
	 * to go: "path", "project", "instance" or "volume",
	 * "created_at", "size_bytes", "keep", "reasons". */
	void (*judged)(void *data, const json_t *archive);
	void *data;
};

struct prune_result {
	size_t kept;
	size_t removed;
	uint64_t removed_bytes;
};

/* Only archives with a manifest, of the daemon's own server, are touched. Of
 * each instance and volume these stay whatever the rules say: the newest that
 * is intact, the newest that was drilled, both sides of a shrinkage that nobody
 * has acknowledged, and what is not as its manifest says, for a person to look
 * at. ERROR_USAGE without any rule; ERROR_LOCKED while archives are written
 * there.
 */
int prune(const struct prune_request *request, const struct watch *watch,
    struct prune_result *ret_result, struct error *err);

#endif
