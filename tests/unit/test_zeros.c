#include "base/zeros.h"

#include <string.h>

#include "support.h"

#define BLOCK ZEROS_BLOCK_BYTES

static void
check(const unsigned char *bytes, size_t size, size_t offset, size_t count)
{
	size_t found = SIZE_MAX;

	assert_int_equal(zeros_trim(bytes, size, &found), count);
	assert_int_equal(found, offset);
}

static void
only_whole_blocks_at_the_ends_go(void **state)
{
	static unsigned char bytes[6 * BLOCK];

	(void)state;
	check(bytes, sizeof(bytes), sizeof(bytes), 0);
	check(bytes, BLOCK, BLOCK, 0);
	check(bytes, BLOCK - 1, 0, BLOCK - 1);
	check(bytes, BLOCK + 1, BLOCK, 1);
	check(bytes, 0, 0, 0);

	bytes[2 * BLOCK] = 1;
	check(bytes, sizeof(bytes), 2 * BLOCK, BLOCK);
	check(bytes, sizeof(bytes) - 1, 2 * BLOCK, 4 * BLOCK - 1);
	bytes[4 * BLOCK - 1] = 1;
	check(bytes, sizeof(bytes), 2 * BLOCK, 2 * BLOCK);
	bytes[0] = 1;
	check(bytes, sizeof(bytes), 0, 4 * BLOCK);
	bytes[sizeof(bytes) - 1] = 1;
	check(bytes, sizeof(bytes), 0, sizeof(bytes));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_whole_blocks_at_the_ends_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
