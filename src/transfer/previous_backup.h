/* previous_backup.h - the backup that was made before, of an instance or a
 * volume
 */

#ifndef ANKLUME_TRANSFER_PREVIOUS_BACKUP_H
#define ANKLUME_TRANSFER_PREVIOUS_BACKUP_H

#include "base/json.h"

struct backup_subject;
struct error;
struct incus_server;

/* The manifest of the newest one in `directory`, of this server and without
 * reading all that lies there: 1 and *ret_manifest (owned by the caller), or 0.
 * A backup whose file has another name than we give is not seen. */
int previous_backup(const char *directory, const struct incus_server *server,
    const struct backup_subject *of, json_t **ret_manifest);

/* How the names of its archives begin, before their time. Heap. */
char *backup_stem(const struct backup_subject *of, struct error *err);

/* How many per cent a tar is smaller than the one before; 0 when it is not. */
unsigned int previous_backup_shrinkage(
    const json_t *manifest, const json_t *before);

#endif
