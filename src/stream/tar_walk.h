/* tar_walk.h - from member to member through a tar that is pulled
 *
 * A tar cut between two members is a valid file to every tool, the daemon's own
 * import among them: here the end is only believed after two zero blocks and
 * nothing but padding behind them (POSIX.1-2017, pax, "ustar Interchange
 * Format"). Read strictly, as tar_header.h and tar_pax.h say. */

#ifndef ANKLUME_STREAM_TAR_WALK_H
#define ANKLUME_STREAM_TAR_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "stream/tar_header.h"
#include "stream/tar_pax.h"

struct error;
struct stream;

/* A name is as it stands in the tar, but for the "/" behind a directory's;
 * bytes of any kind but NUL. */
struct tar_member {
	char name[TAR_NAME_BYTES];
	char link[TAR_NAME_BYTES]; /* of both kinds of links; else "" */
	enum tar_type type;	   /* never TAR_PAX */
	uint64_t size_bytes;	   /* of a TAR_FILE; else 0 */

	/* Claims, as in tar_header.h. */
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	int64_t mtime_s;
};

struct tar_walk;

/* Walk `from`, which stays the caller's and must outlive it. NULL when out of
 * memory. */
struct tar_walk *tar_walk_new(struct stream *from, struct error *err);

void tar_walk_free(struct tar_walk *walk);

/* Go on to the next member, over what was not read of the one before. 1; 0 at
 * the end, when all of the stream was read; -1 with ERROR_DAMAGED where the tar
 * is cut or broken, ERROR_UNSAFE where it is not as Incus writes it. */
int tar_walk_next(
    struct tar_walk *walk, struct tar_member *ret_member, struct error *err);

/* Read what the member holds: up to `size` bytes, 0 at its end. */
ssize_t tar_walk_read(
    struct tar_walk *walk, void *buf, size_t size, struct error *err);

/* How much of the stream has been walked over. */
uint64_t tar_walk_bytes(const struct tar_walk *walk);

#endif
