/* backup_view.h - the files in an archive, reached without a restore: read
 * once, no further than needed, nothing of it on a disk */

#ifndef ANKLUME_TRANSFER_BACKUP_VIEW_H
#define ANKLUME_TRANSFER_BACKUP_VIEW_H

#include "stream/backup_members.h"
#include "transfer/backup_source.h"
#include "transfer/owner_map.h"

struct error;
struct watch;

/* Zero-initialised. */
struct backup_view {
	struct backup_source source;
	struct backup_members *members;
	/* Of the instance or volume, or of the wish's snapshot. */
	struct owner_map owners;
};

/* `wish` and `path` must outlive it. ERROR_NOT_FOUND where the archive has no
 * such snapshot, or its files are not to be had one by one: those of a virtual
 * machine or a block volume are in a disk image, those of an optimized backup
 * in a stream of its storage driver. */
int backup_view_open(struct backup_view *view, const char *path,
    const struct backup_wish *wish, const struct watch *watch,
    struct error *err);

/* As backup_members_next(). At the end, when all of the archive was read, it
 * has been found to be what its manifest says, or it is ERROR_DAMAGED. */
int backup_view_next(struct backup_view *view,
    const struct backup_member **ret_member, struct error *err);

/* Say of an archive that was not read to its end that nothing is proven. */
void backup_view_note_early(const char *path, const struct watch *watch);

void backup_view_clear(struct backup_view *view);

static inline void
auto_backup_view_cleanup(struct backup_view *view)
{
	backup_view_clear(view);
}

/* An owning local. */
#define auto_backup_view __attribute__((cleanup(auto_backup_view_cleanup)))

#endif
