/* publication.h - a file that appears under its name only when it is whole
 *
 * Written without a name (O_TMPFILE) where the file system can, else under a
 * random hidden one; then fsync, link, fsync of the directory. A kill at any
 * moment leaves the old state or the new one. */

#ifndef ANKLUME_STORE_PUBLICATION_H
#define ANKLUME_STORE_PUBLICATION_H

#include <stdbool.h>
#include <sys/types.h>

struct error;
struct publication;

/* Begin a file (mode 0600) in `directory`, which must exist
 * (ERROR_NO_DIRECTORY). */
struct publication *publication_new(const char *directory, struct error *err);

/* The same in an open directory, whose descriptor is taken over, also on
 * failure; `directory` is its name for messages. */
struct publication *publication_new_in(
    int directory_fd, const char *directory, struct error *err);

/* Where to write. Borrowed. */
int publication_fd(const struct publication *publication);

/* Give an open file these permissions; a file system without any shows those of
 * its mount, which is no failure. `name` is for the message. */
int publication_set_mode(
    int fd, mode_t mode, const char *name, struct error *err);

/* Give it its name. With `replace` a regular file of that name is replaced, but
 * not a mount point (ERROR_EXISTS); without, ERROR_EXISTS. Where the file
 * system has no link (exFAT, SMB, FUSE), renameat2(RENAME_NOREPLACE), else a
 * rename when nothing of that name is there, which one at a time may try: who
 * has made an exclusive placeholder, whose name is a temporary one made of the
 * final one. */
int publication_commit(struct publication *publication, const char *name,
    bool replace, struct error *err);

/* The same for one file of many, without fsync: what lasts through a loss of
 * power is up to the caller's syncfs(2). */
int publication_name(struct publication *publication, const char *name,
    bool replace, struct error *err);

/* "'<path>' is a mount point". Always -1. */
int publication_refuse_mount_point(const char *path, struct error *err);

/* Drops the file unless it was committed. NULL is fine. */
void publication_free(struct publication *publication);

static inline void
auto_publication_cleanup(struct publication **publication)
{
	publication_free(*publication);
}

/* An owning local. */
#define auto_publication __attribute__((cleanup(auto_publication_cleanup)))

#endif
