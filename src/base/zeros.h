/* zeros.h - runs of zeros, which become holes in the file that is written */

#ifndef ANKLUME_BASE_ZEROS_H
#define ANKLUME_BASE_ZEROS_H

#include <stdbool.h>
#include <stddef.h>

/* What is looked at as one: a page, and the block of most file systems. */
#define ZEROS_BLOCK_BYTES ((size_t)4096)

/* Whether there is nothing else; true of nothing. */
bool zeros_only(const void *bytes, size_t size);

/* What is left of `bytes` without the whole blocks of zeros at both ends: its
 * size, and where it begins in *ret_offset. 0: there are only such. A shorter
 * block at the end counts as data. */
size_t zeros_trim(const void *bytes, size_t size, size_t *ret_offset);

#endif
