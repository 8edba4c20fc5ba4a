/* sftp_writer.h - a stream into a file inside an instance: all or nothing
 *
 * The content goes into a new file of a random name beside the target, which
 * takes the target's name when size, owner, mode and times are right. Whatever
 * fails, the target stays as it was and the new file is removed; not so in
 * place, where the file itself is emptied first. */

#ifndef ANKLUME_INCUS_SFTP_WRITER_H
#define ANKLUME_INCUS_SFTP_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "incus/sftp_wire.h"

struct digest;
struct error;
struct sftp_session;
struct stream;

struct sftp_put_request {
	const char *path; /* already resolved: see sftp_walk.h */
	bool exclusive;	  /* nothing may be there */
	bool in_place;	  /* a file is there: write into it */

	/* Owner, mode (permissions only) and times to set, by its flags. */
	struct sftp_attributes attributes;

	/* Of what `body` brings, complete at its end: the file is read back
	 * and must be the same (ERROR_DAMAGED). NULL: it is not read. */
	const struct digest *sent;
};

/* Read `body` (borrowed) to its end. ERROR_NO_SPACE when the instance's disk is
 * full. */
int sftp_file_put(struct sftp_session *session,
    const struct sftp_put_request *request, struct stream *body,
    uint64_t *ret_size_bytes, struct error *err);

#endif
