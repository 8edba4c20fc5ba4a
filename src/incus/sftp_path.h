/* sftp_path.h - questions and changes to paths inside an instance */

#ifndef ANKLUME_INCUS_SFTP_PATH_H
#define ANKLUME_INCUS_SFTP_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "incus/sftp_wire.h"

struct error;
struct file_facts;
struct sftp_pending;
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

/* What the answer to such a question says. */
int sftp_answer_attributes(const struct sftp_pending *answer, const char *path,
    struct sftp_attributes *ret_attributes, struct error *err);
int sftp_answer_look(const struct sftp_pending *answer, const char *path,
    struct sftp_attributes *ret_attributes, struct error *err);

/* The same, said in the words of both ends of a copy. */
struct file_facts sftp_facts(const struct sftp_attributes *found);

/* Whether both can be of one file: the protocol shows no inode. */
bool sftp_same_file(
    const struct sftp_attributes *a, const struct sftp_attributes *b);

/* The handle that the answer to an OPEN or OPENDIR brings. "<what> '<path>'"
 * begins the error. */
int sftp_answer_handle(const struct sftp_pending *answer, const char *what,
    const char *path, struct sftp_handle *ret_handle, struct error *err);

/* Send an OPEN or OPENDIR, and wait for its handle. */
int sftp_call_handle(struct sftp_session *session, struct sftp_packet *packet,
    const char *what, const char *path, struct sftp_handle *ret_handle,
    struct error *err);

/* The raw text of a symlink, inside the answer to a READLINK. */
int sftp_answer_link(const struct sftp_pending *answer, const char *path,
    const char **ret_target, size_t *ret_size, struct error *err);

/* Ask for it. Heap. */
char *sftp_read_link(
    struct sftp_session *session, const char *path, struct error *err);

int sftp_remove(
    struct sftp_session *session, const char *path, struct error *err);

/* Put the file `from` under the name `to`: over what is there, or with
 * `exclusive` only when nothing is (ERROR_EXISTS). Nothing can be put over a
 * mount point: ERROR_EXISTS as well. */
int sftp_publish(struct sftp_session *session, const char *from, const char *to,
    bool exclusive, struct error *err);

/* The same in three steps: whether the server can, the request for it, and what
 * the answer says. With `exclusive` the name `from` is there still when it has
 * been done. */
int sftp_can_publish(
    const struct sftp_session *session, bool exclusive, struct error *err);
void sftp_put_publish(struct sftp_packet *packet, const char *from,
    const char *to, bool exclusive);
int sftp_answer_publish(const struct sftp_pending *answer, const char *to,
    bool exclusive, struct error *err);

/* Make `to` another name of the file `from`, over what is there. */
int sftp_link(struct sftp_session *session, const char *from, const char *to,
    struct error *err);

/* A random name beside `path`, for what is to get its name when whole. Heap. */
char *sftp_temporary(const char *path, struct error *err);

/* The directory part of an absolute path, "/" at least. Heap. */
char *sftp_parent(const char *path, struct error *err);

#endif
