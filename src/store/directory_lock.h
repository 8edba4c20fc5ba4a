/* directory_lock.h - a directory that is in use: by many who add to it, or by
 * one who takes away
 *
 * flock(2) on the directory itself: it leaves nothing behind, and the kernel
 * lets go of it whatever becomes of the process. Where the file system knows no
 * such locks (some network file systems), there is none. */

#ifndef ANKLUME_STORE_DIRECTORY_LOCK_H
#define ANKLUME_STORE_DIRECTORY_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct error;

/* A descriptor that is the lock until it is closed, or -1. While another
 * process is in the way this waits, `wait_ms` at most; then it is ERROR_LOCKED.
 * An interruption ends the wait. */
int directory_lock_take(
    const char *path, bool alone, int64_t wait_ms, struct error *err);

#endif
