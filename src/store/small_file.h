/* small_file.h - a whole small file, read or published */

#ifndef ANKLUME_STORE_SMALL_FILE_H
#define ANKLUME_STORE_SMALL_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* Read at most `max_bytes`; a NUL follows. 1 and *ret_text (heap), 0 when there
 * is no such file, -1 on failure (ERROR_DAMAGED when larger). */
int small_file_read(const char *path, size_t max_bytes, char **ret_text,
    size_t *ret_size, struct error *err);

/* Publish `text`, its last line ended, as directory/name with these
 * permissions. */
int small_file_publish(const char *directory, const char *name,
    const char *text, unsigned int mode, bool replace, struct error *err);

#endif
