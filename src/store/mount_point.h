/* mount_point.h - whether a disk is where it should be */

#ifndef ANKLUME_STORE_MOUNT_POINT_H
#define ANKLUME_STORE_MOUNT_POINT_H

struct error;

/* 0 when something is mounted at `path`; an automounter gets the chance to.
 * ERROR_NO_DIRECTORY. */
int mount_point_check(const char *path, struct error *err);

#endif
