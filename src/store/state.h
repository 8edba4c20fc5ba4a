/* state.h - directories of our own: where one user's state goes, and making
 * them */

#ifndef ANKLUME_STORE_STATE_H
#define ANKLUME_STORE_STATE_H

#include <sys/types.h>

struct error;

/* "$XDG_STATE_HOME/anklume", or "~/.local/state/anklume" (XDG Base Directory
 * Specification); not made here. Heap. */
char *state_directory(struct error *err);

/* Where this host's knowledge of archives goes: "/var/lib/anklume/<name>" as
 * root, else below state_directory(); not made here. Heap. */
char *state_host_directory(const char *name, struct error *err);

/* Make a directory and those above it that are missing, all with `mode`. `path`
 * is absolute, and as it was when this returns 0. */
int state_make_directories(char *path, mode_t mode, struct error *err);

#endif
