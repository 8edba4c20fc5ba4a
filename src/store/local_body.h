/* local_body.h - content into a file of ours; runs of zeros become holes */

#ifndef ANKLUME_STORE_LOCAL_BODY_H
#define ANKLUME_STORE_LOCAL_BODY_H

#include <stddef.h>
#include <stdint.h>

struct digest;
struct error;
struct stream;

/* `name` is for messages. The first two want an empty file. */

/* Read `body` (borrowed) to its end into the file. */
int local_body_stream(int fd, struct stream *body, const char *name,
    uint64_t *ret_size_bytes, struct error *err);

int local_body_write(int fd, const void *bytes, size_t size, const char *name,
    struct error *err);

/* What was written, read back from the disk, where it can be: it must be what
 * `sent` is the digest of (ERROR_DAMAGED). Nothing is read for NULL. */
int local_body_check(
    int fd, const struct digest *sent, const char *name, struct error *err);

/* Empty a file that is there, if it is a regular one (ERROR_EXISTS), then as
 * above; it is incomplete when that fails. */
int local_body_replace(int fd, struct stream *body, const struct digest *sent,
    const char *name, uint64_t *ret_size_bytes, struct error *err);

#endif
