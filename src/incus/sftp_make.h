/* sftp_make.h - many directories into an instance, at once */

#ifndef ANKLUME_INCUS_SFTP_MAKE_H
#define ANKLUME_INCUS_SFTP_MAKE_H

#include <stddef.h>

struct batch_directory;
struct error;
struct sftp_session;

/* Make each directory that has not failed yet at its path `to`, whose parent is
 * there, with its owner and mode. One that is there already stays as it is, and
 * says so; anything else there, also a link to a directory, is its failure. -1
 * is only for what stops all. `count` is DIRECTORY_BATCH_MAX at most. */
int sftp_make(struct sftp_session *session, struct batch_directory *directories,
    size_t count, struct error *err);

/* Set the times of those that sftp_make() has made: last of all, since
 * everything that is put into a directory changes them. */
int sftp_make_times(struct sftp_session *session,
    struct batch_directory *directories, size_t count, struct error *err);

#endif
