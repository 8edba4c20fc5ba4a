/* snapshot_expiry.h - when snapshots end, which an import forgets
 *
 * The daemon makes the snapshots of a backup without their "expires_at" (incus
 * 6.0.4 and 7.0.2, measured). */

#ifndef ANKLUME_TRANSFER_SNAPSHOT_EXPIRY_H
#define ANKLUME_TRANSFER_SNAPSHOT_EXPIRY_H

struct backup_index;
struct error;
struct incus_client;
struct instance_ref;
struct watch;

/* Give those of a restored instance the end that they have in the archive. One
 * whose end has passed meanwhile would be deleted by the daemon within the
 * minute: it stays without, which is noted. */
int snapshot_expiry_restore(struct incus_client *client,
    const struct instance_ref *instance, const struct backup_index *index,
    const struct watch *watch, struct error *err);

#endif
