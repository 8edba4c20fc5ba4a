/* sftp_store.h - many small files and links into an instance, at once
 *
 * Each is all or nothing: it is made under a random name beside its target, and
 * takes the target's name when content, owner, mode and times are right. */

#ifndef ANKLUME_INCUS_SFTP_STORE_H
#define ANKLUME_INCUS_SFTP_STORE_H

struct error;
struct file_batch;
struct sftp_session;

/* See what lies at the path `to` of every file that is to be looked for. */
int sftp_store_look(
    struct sftp_session *session, struct file_batch *batch, struct error *err);

/* Write every file of the batch that is wanted still to its path `to`. What
 * lies there is replaced, also a symlink, which is not followed; a directory is
 * the file's failure. All of a batch are exclusive, or none. -1 is only for
 * what stops all (the connection, an interruption); then no temporary file
 * stays that could still be removed. */
int sftp_store(
    struct sftp_session *session, struct file_batch *batch, struct error *err);

#endif
