/* backup_members.h - the files of a backup that are wanted, pulled one by one
 *
 * The tar is parsed and judged in a child process as in examine.h, up to where
 * the last wish has come true: what follows is not read, and so neither is any
 * digest of the whole. */

#ifndef ANKLUME_STREAM_BACKUP_MEMBERS_H
#define ANKLUME_STREAM_BACKUP_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream/backup_wish.h"
#include "stream/tar_walk.h"

struct backup_members;
struct error;
struct examination;
struct stream;

struct backup_member {
	enum backup_pick pick; /* never PICK_NOTHING */
	size_t path_index;     /* of the wish */
	enum tar_type type;
	uint32_t mode; /* permissions only */
	uint32_t uid;  /* as on the disk that was backed up */
	uint32_t gid;
	int64_t mtime_s;
	uint64_t size_bytes; /* of a TAR_FILE; else 0 */
	/* As seen in the instance: canonical, and one that is wanted, or with
	 * PICK_WAY the link that leads away from one. */
	char path[TAR_NAME_BYTES];
	/* Of a symlink, any bytes but NUL; of a hard link, canonical too, or ""
	 * where it is none of the instance's files. */
	char link[TAR_NAME_BYTES];
};

/* Takes `from` over, and reads until ret_examination has the index. `wish` must
 * outlive it. Errors here and below are those of examine.h. */
struct backup_members *backup_members_new(struct stream *from,
    const struct backup_wish *wish, struct examination *ret_examination,
    struct error *err);

void backup_members_free(struct backup_members *members);

/* Go on to the next, over what was not read of the one before: 1, valid until
 * the next call; 0 when nothing more will come. */
int backup_members_next(struct backup_members *members,
    const struct backup_member **ret_member, struct error *err);

/* Whether the end came before the tar's: nothing is proven then. */
bool backup_members_stopped_early(const struct backup_members *members);

/* The content of a TAR_FILE, where it was wished for, as a stream that borrows
 * `members`: at its end all of `size_bytes` came. */
struct stream *backup_members_content(
    struct backup_members *members, struct error *err);

#endif
