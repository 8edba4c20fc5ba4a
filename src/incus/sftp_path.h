/* sftp_path.h - questions and changes to paths inside an instance */

#ifndef ANKLUME_INCUS_SFTP_PATH_H
#define ANKLUME_INCUS_SFTP_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "incus/sftp_wire.h"

struct error;
struct sftp_session;

/* What lies at a path. ERROR_NOT_FOUND when nothing does. `stat` follows a
 * symlink, `lstat` does not. */
int sftp_stat(struct sftp_session *session, const char *path,
    struct sftp_attributes *ret_attributes, struct error *err);
int sftp_lstat(struct sftp_session *session, const char *path,
    struct sftp_attributes *ret_attributes, struct error *err);

/* The same, and absence is no error: 1 it is there, 0 not, -1 failed. */
int sftp_look(struct sftp_session *session, const char *path,
    struct sftp_attributes *ret_attributes, struct error *err);

/* The path with ".", ".." and symlinks resolved, inside the instance (at most
 * 40 links, as Linux does); components that do not exist stay as they are.
 * Heap. */
char *sftp_resolve(
    struct sftp_session *session, const char *path, struct error *err);

/* Make a directory and those above it that are missing (mode 0755). */
int sftp_make_directories(
    struct sftp_session *session, const char *path, struct error *err);

int sftp_remove(
    struct sftp_session *session, const char *path, struct error *err);

/* Put the file `from` under the name `to`: over what is there, or with
 * `exclusive` only when nothing is (ERROR_EXISTS). */
int sftp_publish(struct sftp_session *session, const char *from, const char *to,
    bool exclusive, struct error *err);

/* The directory part of an absolute path, "/" at least. Heap. */
char *sftp_parent(const char *path, struct error *err);

#endif
