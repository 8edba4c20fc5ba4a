/* sftp_load.h - many small files and links out of an instance, at once */

#ifndef ANKLUME_INCUS_SFTP_LOAD_H
#define ANKLUME_INCUS_SFTP_LOAD_H

struct error;
struct file_batch;
struct sftp_session;

/* Read the content of every file of the batch that has not failed yet. Regular
 * files are opened, and then must be regular still; links are read, never
 * followed. What is wrong with one file is its failure; -1 is only for what
 * stops all (the connection, an interruption). */
int sftp_load(
    struct sftp_session *session, struct file_batch *batch, struct error *err);

#endif
