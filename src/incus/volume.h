/* volume.h - custom volumes of a daemon's pools */

#ifndef ANKLUME_INCUS_VOLUME_H
#define ANKLUME_INCUS_VOLUME_H

#include "base/json.h"
#include "incus/instance.h"

struct backup_subject;
struct error;
struct incus_client;

/* The daemon's object (api.StorageVolume): 1 and owned by the caller, 0 when
 * there is none, -1 on failure. */
int incus_volume_get(struct incus_client *client,
    const struct backup_subject *volume, json_t **ret_volume,
    struct error *err);

/* All that the caller may see, of all projects and pools, in an array of
 * api.StorageVolume, each with "pool" besides; the caller owns it. */
int incus_volume_list(
    struct incus_client *client, json_t **ret_volumes, struct error *err);

/* The instances that have it attached, by its object, themselves or by a
 * profile. */
int incus_volume_users(
    const json_t *volume, struct instance_names *ret_users, struct error *err);

/* Delete one that this run has made. When that fails, *err (which is set
 * already) gets a hint that names it. */
void incus_volume_discard(struct incus_client *client,
    const struct backup_subject *volume, struct error *err);

#endif
