/* sftp_directory.h - new directories inside an instance */

#ifndef ANKLUME_INCUS_SFTP_DIRECTORY_H
#define ANKLUME_INCUS_SFTP_DIRECTORY_H

#include "incus/sftp_wire.h"

struct error;
struct sftp_session;

/* Make the directory `path`, which is resolved, and those above it that are
 * missing: mode 0755, each with the owner of the one it is in. *ret_found is
 * what lies at `path` then. */
int sftp_make_directories(struct sftp_session *session, const char *path,
    struct sftp_attributes *ret_found, struct error *err);

#endif
