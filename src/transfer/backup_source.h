/* backup_source.h - an archive that is read: opened up to its index, and
 * believed at its end
 *
 *     archive -> meter -> digest -> decrypt -> decompress -> examine
 */

#ifndef ANKLUME_TRANSFER_BACKUP_SOURCE_H
#define ANKLUME_TRANSFER_BACKUP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "stream/backup_index.h"
#include "stream/digest.h"
#include "stream/examine.h"
#include "stream/unpack.h"
#include "transfer/origin.h"

struct backup_members;
struct backup_wish;
struct error;
struct stream;
struct watch;

/* Zero-initialised; must outlive the stream. */
struct backup_source {
	const char *path; /* borrowed */
	uint64_t size_bytes;
	struct provenance provenance;
	struct digest digest; /* of the archive */
	struct packing packing;
	struct examination examination;
	struct backup_index index;
};

/* The archive's tar; what manifest, record and index say of it is known when
 * this returns, and not yet proven. Errors name the path. ERROR_UNSAFE, here or
 * while it is read, where it is what its manifest or the record lists, or where
 * neither knows it: an archive that was changed is ERROR_DAMAGED. */
struct stream *backup_source_open(struct backup_source *source,
    const char *path, const struct watch *watch, struct error *err);

/* The same for some of its files, one by one. */
struct backup_members *backup_source_members(struct backup_source *source,
    const char *path, const struct backup_wish *wish, const struct watch *watch,
    struct error *err);

/* What the members' failure means for the archive: its path before it, and
 * ERROR_DAMAGED as above. Always -1. */
int backup_source_blame(const struct backup_source *source, struct error *err);

/* At the end of the stream: it is what its manifest says, and with `presumed`,
 * since something was taken from the record, what the record lists.
 * ERROR_DAMAGED. */
int backup_source_check(
    const struct backup_source *source, bool presumed, struct error *err);

void backup_source_clear(struct backup_source *source);

static inline void
auto_backup_source_cleanup(struct backup_source *source)
{
	backup_source_clear(source);
}

/* An owning local. */
#define auto_backup_source __attribute__((cleanup(auto_backup_source_cleanup)))

#endif
