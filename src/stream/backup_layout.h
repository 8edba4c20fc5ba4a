/* backup_layout.h - where in the tar of a backup a member may be
 *
 * As Incus's own writers lay it out (incus, internal/server/storage/drivers,
 * utils.go, generic_vfs.go and driver_btrfs_volumes.go):
 *
 *     backup/index.yaml
 *     backup/snapshots/NAME/          each snapshot, like the instance itself
 *     backup/container/               backup.yaml, metadata.yaml, rootfs/ ...
 *     backup/virtual-machine/, backup/virtual-machine.img, and so their
 *         snapshots below backup/virtual-machine-snapshots/
 *     backup/DEVICE/volume/           a volume that belongs to it (7.0)
 *     backup/container.bin ...        instead, where it is optimized
 *
 * and the backup of a custom volume:
 *
 *     backup/index.yaml
 *     backup/volume-snapshots/NAME/   each snapshot: anything may be below
 *     backup/volume/                  the volume, the same
 *     backup/volume-snapshots/NAME.img, backup/volume.img: instead, where it
 *         is a block volume
 *     backup/volume-snapshots/NAME.bin, backup/volume.bin: instead, where it
 *         is optimized
 */

#ifndef ANKLUME_STREAM_BACKUP_LAYOUT_H
#define ANKLUME_STREAM_BACKUP_LAYOUT_H

#include <stddef.h>

struct backup_index;
struct tar_member;

enum backup_place {
	PLACE_NONE,   /* nothing may be here, or not of this type */
	PLACE_ROOT,   /* the directory of an instance, a snapshot or a volume */
	PLACE_BELOW,  /* anywhere in one */
	PLACE_CONFIG, /* the instance's backup.yaml */
	PLACE_PIECE,  /* a file beside the directories: a disk, a stream */
};

/* Where it stands, and in *ret_root_length how much of its name is the root
 * that it is below of (or is): hard links do not lead out of that. Its name has
 * no component that is empty, "." or "..". */
enum backup_place backup_layout_place(const struct backup_index *index,
    const struct tar_member *member, size_t *ret_root_length);

/* The root of the instance or volume itself, or where `snapshot` is not NULL of
 * that one; of a volume that is a disk or optimized, the file that stands in
 * its place. The optimized backup of an instance has none. `buf` has room for
 * TAR_NAME_BYTES. */
void backup_layout_root(
    const struct backup_index *index, const char *snapshot, char *buf);

#endif
