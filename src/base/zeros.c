#include "base/zeros.h"

#include <string.h>

/* The first byte is zero, and each is like the one before. */
bool
zeros_only(const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	return size == 0 || (at[0] == 0 && memcmp(at, at + 1, size - 1) == 0);
}

size_t
zeros_trim(const void *bytes, size_t size, size_t *ret_offset)
{
	const unsigned char *at = bytes;
	size_t begin = 0;
	size_t end = size;

	while (end - begin >= ZEROS_BLOCK_BYTES &&
	       zeros_only(at + begin, ZEROS_BLOCK_BYTES))
		begin += ZEROS_BLOCK_BYTES;
	if (size % ZEROS_BLOCK_BYTES == 0) {
		while (end > begin && zeros_only(at + end - ZEROS_BLOCK_BYTES,
					  ZEROS_BLOCK_BYTES))
			end -= ZEROS_BLOCK_BYTES;
	}
	*ret_offset = begin;
	return end - begin;
}
