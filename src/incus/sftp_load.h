/* sftp_load.h - many small files and links out of an instance, at once */

#ifndef ANKLUME_INCUS_SFTP_LOAD_H
#define ANKLUME_INCUS_SFTP_LOAD_H

struct error;
struct file_batch;
struct sftp_load;
struct sftp_session;

/* Begin to read the content of every file of the batch that is wanted, without
 * waiting. Regular files are opened, and then must be regular still; links are
 * read, never followed. What is wrong with one file is its failure. Session and
 * batch must outlive the load. */
struct sftp_load *sftp_load_begin(
    struct sftp_session *session, struct file_batch *batch, struct error *err);

/* Wait for what is on its way, and send what comes next: 1, or 0 when all is
 * read. -1 is only for what stops all (the connection, an interruption). */
int sftp_load_go_on(struct sftp_load *load, struct error *err);

/* NULL is fine. */
void sftp_load_free(struct sftp_load *load);

#endif
