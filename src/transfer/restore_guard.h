/* restore_guard.h - what an archive's instance or volume may set on this host
 */

#ifndef ANKLUME_TRANSFER_RESTORE_GUARD_H
#define ANKLUME_TRANSFER_RESTORE_GUARD_H

#include "base/json.h"
#include "incus/instance.h"

struct backup_index;
struct error;
struct host_keys_leave;
struct incus_client;

/* Before the upload: what the index says of the instance and its snapshots is
 * let through, and what the profiles have that are made (an array of objects
 * with "definition"), or ERROR_UNSAFE. */
int restore_guard_index(const struct backup_index *index,
    const json_t *profiles, const struct host_keys_leave *leave,
    struct error *err);

/* After the import: not what the archive says of itself counts, but what the
 * daemon has made of it. */
int restore_guard_instance(struct incus_client *client,
    const struct instance_ref *instance, const struct host_keys_leave *leave,
    struct error *err);

/* The same for one object (api.StorageVolume). */
int restore_guard_object(const json_t *object,
    const struct host_keys_leave *leave, struct error *err);

#endif
