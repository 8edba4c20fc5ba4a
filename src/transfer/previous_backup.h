/* previous_backup.h - the backup of an instance that was made before */

#ifndef ANKLUME_TRANSFER_PREVIOUS_BACKUP_H
#define ANKLUME_TRANSFER_PREVIOUS_BACKUP_H

#include "base/json.h"

struct error;
struct incus_server;
struct instance_ref;

/* The manifest of the newest one in `directory`, of this server and without
 * reading all that lies there: 1 and *ret_manifest (owned by the caller), or 0.
 * A backup whose file has another name than we give is not seen. */
int previous_backup(const char *directory, const struct incus_server *server,
    const struct instance_ref *instance, json_t **ret_manifest);

/* How many per cent a tar is smaller than the one before; 0 when it is not. */
unsigned int previous_backup_shrinkage(
    const json_t *manifest, const json_t *before);

#endif
