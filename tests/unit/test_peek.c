#include "stream/peek.h"
#include "support.h"

static const size_t sizes[] = {
    0, 1, 2, PEEK_BYTES - 1, PEEK_BYTES, PEEK_BYTES + 1, 5000};

static void
peek_and_read(const struct bytes *data, size_t chunk, size_t reader)
{
	auto_bytes struct bytes got = {0};
	struct error err = {0};
	struct stream *s = peek_new(
	    source_new(data->data, data->size, chunk, SOURCE_ENDS), &err);
	size_t expected = data->size < PEEK_BYTES ? data->size : PEEK_BYTES;
	size_t shown = 77;
	const unsigned char *head;

	assert_non_null(s);
	head = peek_bytes(s, &shown);
	assert_int_equal(shown, expected);
	assert_memory_equal(head, data->data, expected);
	assert_int_equal(drain(s, reader, &got, &err), 0);
	assert_same_bytes(&got, data);
}

static void
the_head_is_seen_and_read_again(void **state)
{
	static const size_t steps[] = {1, 7, 511, 512, 513, 10000};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		auto_bytes struct bytes data = bytes_random(sizes[i], 4);

		for (size_t k = 0; k < COUNT(steps); k++) {
			peek_and_read(&data, steps[k], 100);
			peek_and_read(&data, 0, steps[k]);
		}
	}
}

static void
the_head_stays(void **state)
{
	auto_bytes struct bytes data = bytes_random(2000, 4);
	struct error err = {0};
	char buf[2000];
	size_t shown;
	auto_stream struct stream *s =
	    peek_new(source_new(data.data, data.size, 0, SOURCE_ENDS), &err);

	(void)state;
	assert_int_equal(stream_read_full(s, buf, 2000, &err), 2000);
	assert_memory_equal(peek_bytes(s, &shown), data.data, PEEK_BYTES);
	assert_int_equal(shown, PEEK_BYTES);
}

static void
a_failure_passes(void **state)
{
	auto_bytes struct bytes data = bytes_random(1000, 4);
	auto_bytes struct bytes got = {0};
	struct error err = {0};

	(void)state;
	/* Inside the head at once, behind it when it is read. */
	assert_null(
	    peek_new(source_new(data.data, 511, 0, SOURCE_FAILS), &err));
	assert_error(&err, ERROR_UNREACHABLE);

	error_clear(&err);
	assert_int_equal(
	    drain(peek_new(source_new(data.data, 1000, 0, SOURCE_FAILS), &err),
		300, &got, &err),
	    -1);
	assert_error(&err, ERROR_UNREACHABLE);
	assert_int_equal(got.size, 1000);
}

static void
nothing_passes_through(void **state)
{
	struct error err = {0};

	(void)state;
	assert_null(peek_new(NULL, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_head_is_seen_and_read_again),
	    cmocka_unit_test(the_head_stays),
	    cmocka_unit_test(a_failure_passes),
	    cmocka_unit_test(nothing_passes_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
