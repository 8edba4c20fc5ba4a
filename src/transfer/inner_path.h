/* inner_path.h - paths as seen in an instance that is not there to be asked */

#ifndef ANKLUME_TRANSFER_INNER_PATH_H
#define ANKLUME_TRANSFER_INNER_PATH_H

struct error;

/* Without "//", "/." and a "/" at the end. ERROR_USAGE where it is not
 * absolute, or has a "..", which only a file system can follow. Heap. */
char *inner_path(const char *path, struct error *err);

/* Where `path`, which is `link` or leads through it, leads when the link's
 * target is followed, ".." and all, as far as names alone tell. Heap. */
char *inner_path_follow(
    const char *path, const char *link, const char *target, struct error *err);

#endif
