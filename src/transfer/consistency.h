/* consistency.h - whether an instance may run while it is exported
 *
 * The daemon reads a snapshot where the pool has them (btrfs, zfs), and the
 * live tree elsewhere: what grows is cut there, and a file that shrinks or goes
 * away ends the export. */

#ifndef ANKLUME_TRANSFER_CONSISTENCY_H
#define ANKLUME_TRANSFER_CONSISTENCY_H

#include "base/json.h"

struct error;
struct export_request;
struct exported;
struct incus_client;
struct instance_ref;
struct watch;

enum consistency_how {
	CONSISTENCY_AUTO, /* live; frozen, once, when a file has changed */
	CONSISTENCY_LIVE,
	CONSISTENCY_FREEZE,
};

struct consistency {
	const struct instance_ref *instance; /* that may be frozen; NULL */
	enum consistency_how how;
	int freeze_limit_s; /* thaw_guard.h */
	int timeout_s;
};

/* "auto", "live" or "freeze". ERROR_USAGE. */
int consistency_parse(
    const char *text, enum consistency_how *ret_how, struct error *err);

/* Whether it may be frozen at all: not the instance that anklume runs in, and
 * not when that cannot be told. ERROR_EXISTS. */
int consistency_check_self(struct incus_client *client,
    const struct instance_ref *instance, struct error *err);

/* export_archive(), with the instance `about` (api.Instance) frozen where it
 * has to be, and thawed again whatever happens: the one that is exported, or
 * the only one that has the volume attached. One that is stopped, or frozen by
 * somebody else, stays so. */
int consistency_export(const struct export_request *request,
    const struct consistency *consistency, const json_t *about,
    const struct watch *watch, struct exported *ret_exported,
    struct error *err);

#endif
