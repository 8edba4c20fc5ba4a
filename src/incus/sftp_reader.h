/* sftp_reader.h - a regular file inside an instance, as a stream
 *
 * Reads go out ahead, a window at a time. The file is read to the size that it
 * had when opened; the end is only reached when it still has its content: one
 * that shrank or was replaced meanwhile is an error. */

#ifndef ANKLUME_INCUS_SFTP_READER_H
#define ANKLUME_INCUS_SFTP_READER_H

#include <stdbool.h>

#include "incus/sftp_wire.h"

struct error;
struct sftp_session;
struct stream;

/* Open `path`; symlinks are followed. Anything but a regular file is refused
 * before it is opened: opening a FIFO would block the server. *ret_attributes
 * is as seen at open; *ret_grew (may be NULL) is set at the end when the file
 * has grown since. Both and the session must outlive the stream. */
struct stream *sftp_file_open(struct sftp_session *session, const char *path,
    struct sftp_attributes *ret_attributes, bool *ret_grew, struct error *err);

#endif
