/* fuse_raw.h - FUSE without libfuse, as linux/fuse.h has it
 *
 * For programs that run in a container of the lab, which holds nothing but
 * busybox: they are linked statically. */

#ifndef ANKLUME_TESTS_FUSE_RAW_H
#define ANKLUME_TESTS_FUSE_RAW_H

#include <linux/fuse.h>
#include <stddef.h>

/* What one WRITE may bring, and what one READ asks for at most. */
#define FUSE_RAW_IO_BYTES (128U * 1024U)

/* A request, and what follows its head. It may be left without an answer. */
typedef void fuse_raw_handler(
    const struct fuse_in_header *head, const void *argument);

/* `error` is an errno value, or 0. */
void fuse_raw_answer(const struct fuse_in_header *head, int error,
    const void *data, size_t size);

/* Mount on `place`, print the pid of a child that serves it, and return: the
 * exit status. In the child it returns when somebody has unmounted it; when it
 * is killed, the kernel ends all that waits for its answers. */
int fuse_raw_serve(const char *place, fuse_raw_handler *handle);

#endif
