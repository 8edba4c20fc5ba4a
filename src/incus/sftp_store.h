/* sftp_store.h - many small files and links into an instance, at once
 *
 * Each is all or nothing: it is made under a random name beside its target, and
 * takes the target's name when content, owner, mode and times are right. */

#ifndef ANKLUME_INCUS_SFTP_STORE_H
#define ANKLUME_INCUS_SFTP_STORE_H

struct error;
struct file_batch;
struct sftp_session;
struct sftp_store;

/* See what lies at the path `to` of every file that is to be looked for. */
int sftp_store_look(
    struct sftp_session *session, struct file_batch *batch, struct error *err);

/* Begin to write every file of the batch that is wanted still to its path `to`,
 * without waiting. What lies there is replaced, also a symlink, which is not
 * followed; a directory is the file's failure. All of a batch are exclusive, or
 * none. Session and batch must outlive the store. */
struct sftp_store *sftp_store_begin(
    struct sftp_session *session, struct file_batch *batch, struct error *err);

/* Wait for what is on its way, and send what comes next: 1, or 0 when all is
 * done. -1 is only for what stops all (the connection, an interruption). */
int sftp_store_go_on(struct sftp_store *store, struct error *err);

/* No temporary file stays that could still be removed. NULL is fine. */
void sftp_store_free(struct sftp_store *store);

#endif
