/* sftp_read_back.h - what a batch has written, read once more */

#ifndef ANKLUME_INCUS_SFTP_READ_BACK_H
#define ANKLUME_INCUS_SFTP_READ_BACK_H

struct error;
struct file_batch;
struct sftp_session;

/* Read every file of the batch that is to be verified, and is wanted still, at
 * its place in `paths` (borrowed), and compare it with its content. What
 * differs is its failure, ERROR_DAMAGED; -1 is for what stops all. */
int sftp_read_back(struct sftp_session *session, struct file_batch *written,
    char *const *paths, struct error *err);

#endif
