/* archive.h - backup files in a directory: their names, writing, reading */

#ifndef ANKLUME_STORE_ARCHIVE_H
#define ANKLUME_STORE_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "stream/compression.h"

struct error;
struct stream;

/* "<stem>-YYYYMMDD-HHMMSS.tar.gz[.gpg]", local time. `stem` is the name of an
 * instance, or what archive_volume_stem() gives. Heap. */
char *archive_name(const char *stem, time_t when,
    enum compression_kind compression, bool encrypted, struct error *err);

/* "<pool>+<volume>" of a custom volume: a file's name without "/", that does
 * not begin with a ".", and that no other pool and volume and no instance have
 * (docs/formats.md). Heap. */
char *archive_volume_stem(
    const char *pool, const char *volume, struct error *err);

/* Whether an archive can be put there; nothing is made. With `may_make` the
 * last component may be missing. ERROR_NO_DIRECTORY. */
int archive_check_directory(
    const char *directory, bool may_make, struct error *err);

/* Make the last component (mode 0700) unless it is there. */
int archive_make_directory(const char *directory, struct error *err);

/* Whether `directory` is still the one that was `found` before; a disk that was
 * taken off shows another one below. ERROR_NO_DIRECTORY. */
int archive_check_same_directory(
    const char *directory, const struct stat *found, struct error *err);

/* Whether something of that name is there already: 1, 0, or -1. */
int archive_exists(const char *directory, const char *name, struct error *err);

/* Read `from` (borrowed) to its end into a file that then appears as
 * directory/name; with `force` in the place of an older one, whose manifest
 * goes with it. */
int archive_save(const char *directory, const char *name, bool force,
    struct stream *from, struct error *err);

/* Remove an archive, and after it what lies beside it of its manifest. */
int archive_remove(const char *path, struct error *err);

/* Open an archive: a regular file, or "-" for standard input. ERROR_NOT_FOUND.
 * *ret_size_bytes is 0 when not known. `path` is borrowed. */
struct stream *archive_open(
    const char *path, uint64_t *ret_size_bytes, struct error *err);

#endif
