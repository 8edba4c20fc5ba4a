/* A tar of any bytes: a backup as Incus writes it, or a refusal. The checksums
 * of what looks like headers are put right, as no fuzzer finds them. */

#include "fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "check.h"
#include "stream/backup_check.h"
#include "stream/backup_index.h"
#include "stream/stream.h"
#include "stream/tar_header.h"

static int
on_index(void *data, const json_t *root, struct error *err)
{
	const char *type = json_text(root, "type");

	(void)err;
	CHECK(json_text(root, "name") != NULL);
	CHECK(type != NULL);
	CHECK(strcmp(type, "container") == 0 ||
	      strcmp(type, "virtual-machine") == 0 ||
	      strcmp(type, "custom") == 0);
	(*(int *)data)++;
	return 0;
}

static void
put_sum_right(unsigned char *block)
{
	char digits[8];
	unsigned int sum = 0;

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK_BYTES; i++)
		sum += block[i];
	(void)snprintf(digits, sizeof(digits), "%06o", sum);
	memcpy(block + 148, digits, 7);
}

static unsigned char *
with_sums(const uint8_t *data, size_t size)
{
	unsigned char *copy = malloc(size > 0 ? size : 1);

	CHECK(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	for (size_t at = 0; at + TAR_BLOCK_BYTES <= size; at += TAR_BLOCK_BYTES)
		if (memcmp(copy + at + 257, "ustar", 5) == 0)
			put_sum_right(copy + at);
	return copy;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *tar = with_sums(data, size);
	struct backup_counts counts = {0};
	struct error err = {0};
	struct stream *from = stream_memory_new(tar, size, &err);
	int indexes = 0;
	const struct backup_listener listener = {
	    .data = &indexes, .on_index = on_index};
	int result;

	CHECK(from != NULL);
	result = backup_check(from, &listener, &counts, &err);
	check_result(result, &err);
	CHECK(indexes <= 1);
	if (result == 0) {
		CHECK(indexes == 1);
		CHECK(counts.tar_size_bytes == size);
		CHECK(counts.entries >= 1);
		CHECK(counts.entries <= size / TAR_BLOCK_BYTES);
	} else {
		CHECK(err.code == ERROR_DAMAGED || err.code == ERROR_UNSAFE);
	}
	stream_free(from);
	free(tar);
	return 0;
}
