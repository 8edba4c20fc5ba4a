/* spool.h - where the daemon puts an export before it gives it away */

#ifndef ANKLUME_INCUS_SPOOL_H
#define ANKLUME_INCUS_SPOOL_H

#include <stdint.h>

struct error;
struct incus_client;

/* Whether exports are spooled at all: not with the API extension direct_backup.
 * 1, 0, or -1. */
int incus_spool_is_used(struct incus_client *client, struct error *err);

/* What is free there: in the pool of storage.backups_volume, else in
 * "backups" beside the socket, where that can be seen. 1, 0 when it is not
 * known, or -1. */
int incus_spool_room(
    struct incus_client *client, uint64_t *ret_bytes, struct error *err);

#endif
