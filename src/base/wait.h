/* wait.h - poll with a deadline that an interruption cuts short */

#ifndef ANKLUME_BASE_WAIT_H
#define ANKLUME_BASE_WAIT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;

/* Wait until `fd` is ready for `events` (POLLIN, POLLOUT). `timeout_ms` below 0
 * waits for ever, which only fits our own pipes and files. 1 is ready, 0 the
 * time is over, -1 failed or interrupted. */
int wait_ready(int fd, short events, int timeout_ms, struct error *err);

/* Write all of `size` bytes to a file or pipe that may block. `name` is for the
 * message. */
int wait_write_all(int fd, const void *bytes, size_t size, const char *name,
    struct error *err);

#endif
