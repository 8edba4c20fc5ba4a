/* fuzz_trail.h - what a client that writes may ask of a destination, and what
 * it leaves there
 *
 * Every request is checked as it is sent: only a temporary file of the client's
 * own is created, written, removed and given the name of a file that is
 * expected, and that one only behind answers that say that all is well. */

#ifndef ANKLUME_FUZZ_FUZZ_TRAIL_H
#define ANKLUME_FUZZ_FUZZ_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz_transport.h"

struct sftp_session;

extern const struct transport_watcher trail_watcher;

/* Before an operation: forget everything. With `secret` nothing is to be made
 * that others may read from its first moment on. */
void trail_start(bool secret);

/* A file of this name and size is to come. */
void trail_expect(const char *path, uint64_t size_bytes);

/* Behind an operation: no temporary name stays, unless the session is broken.
 */
void trail_end(const struct sftp_session *session);

/* Bytes of content that were sent. */
uint64_t trail_written(void);

/* How often a file was asked to be given this name. */
size_t trail_published(const char *path);

#endif
