/* snapshot.h - snapshots of one instance */

#ifndef ANKLUME_INCUS_SNAPSHOT_H
#define ANKLUME_INCUS_SNAPSHOT_H

#include "base/json.h"

struct error;
struct incus_client;
struct instance_ref;

/* Whether a snapshot may be called so, or may at least exist: ERROR_USAGE.
 * Incus itself is not to be relied on: 6.0 takes "..", and overwrites the
 * directory of all snapshots in a pool of directories. */
int incus_snapshot_check_new_name(const char *name, struct error *err);
int incus_snapshot_check_name(const char *name, struct error *err);

int incus_snapshot_create(struct incus_client *client,
    const struct instance_ref *of, const char *name, struct error *err);

/* *ret_snapshots is an array of api.InstanceSnapshot, owned by the caller. */
int incus_snapshot_list(struct incus_client *client,
    const struct instance_ref *of, json_t **ret_snapshots, struct error *err);

int incus_snapshot_restore(struct incus_client *client,
    const struct instance_ref *of, const char *name, struct error *err);

int incus_snapshot_delete(struct incus_client *client,
    const struct instance_ref *of, const char *name, struct error *err);

/* When the daemon is to delete it: `expires_at` as in RFC 3339. */
int incus_snapshot_set_end(struct incus_client *client,
    const struct instance_ref *of, const char *name, const char *expires_at,
    struct error *err);

/* 1 when it exists, 0 when not, -1 when that cannot be told. */
int incus_snapshot_exists(struct incus_client *client,
    const struct instance_ref *of, const char *name, struct error *err);

#endif
