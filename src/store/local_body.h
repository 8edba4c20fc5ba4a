/* local_body.h - content into a file of ours; runs of zeros become holes */

#ifndef ANKLUME_STORE_LOCAL_BODY_H
#define ANKLUME_STORE_LOCAL_BODY_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct stream;

/* Both want an empty file, at its beginning. `name` is for messages. */

/* Read `body` (borrowed) to its end into the file. */
int local_body_stream(int fd, struct stream *body, const char *name,
    uint64_t *ret_size_bytes, struct error *err);

int local_body_write(int fd, const void *bytes, size_t size, const char *name,
    struct error *err);

#endif
