#include "base/zeros.h"

#include <stdbool.h>
#include <string.h>

/* The first byte is zero, and each is like the one before. */
static bool
is_zero_block(const unsigned char *block)
{
	return block[0] == 0 &&
	       memcmp(block, block + 1, ZEROS_BLOCK_BYTES - 1) == 0;
}

size_t
zeros_trim(const void *bytes, size_t size, size_t *ret_offset)
{
	const unsigned char *at = bytes;
	size_t begin = 0;
	size_t end = size;

	while (end - begin >= ZEROS_BLOCK_BYTES && is_zero_block(at + begin))
		begin += ZEROS_BLOCK_BYTES;
	if (size % ZEROS_BLOCK_BYTES == 0) {
		while (
		    end > begin && is_zero_block(at + end - ZEROS_BLOCK_BYTES))
			end -= ZEROS_BLOCK_BYTES;
	}
	*ret_offset = begin;
	return end - begin;
}
