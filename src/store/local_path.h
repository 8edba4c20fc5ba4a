/* local_path.h - where a path leads on our own disk */

#ifndef ANKLUME_STORE_LOCAL_PATH_H
#define ANKLUME_STORE_LOCAL_PATH_H

struct error;

/* `path` made absolute, without ".", ".." and links. Components that do not
 * exist stay as they are, so that it can be asked before they are made; a link
 * that leads nowhere is ERROR_NOT_FOUND. Heap; NULL with err set. */
char *local_path_resolve(const char *path, struct error *err);

#endif
