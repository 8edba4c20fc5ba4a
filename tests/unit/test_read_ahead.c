#include "stream/read_ahead.h"

#include <signal.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "support.h"

static void
bytes_come_in_their_order(void **state)
{
	static const size_t readers[] = {1000, STREAM_BUFFER_BYTES, 3000001};
	static const size_t chunks[] = {0, 777, STREAM_BUFFER_BYTES};
	/* More than fits ahead, and no whole number of buffers. */
	auto_bytes struct bytes data = bytes_random(3000001, 1);

	(void)state;
	for (size_t i = 0; i < COUNT(readers) * COUNT(chunks); i++) {
		auto_bytes struct bytes got = {0};
		struct error err = {0};
		struct stream *s =
		    read_ahead_new(source_new(data.data, data.size,
				       chunks[i % COUNT(chunks)], SOURCE_ENDS),
			&err);

		assert_int_equal(
		    drain(s, readers[i / COUNT(chunks)], &got, &err), 0);
		assert_same_bytes(&got, &data);
	}
}

static void
an_empty_stream_ends(void **state)
{
	auto_bytes struct bytes got = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(
	    drain(read_ahead_new(source_new("", 0, 0, SOURCE_ENDS), &err), 10,
		&got, &err),
	    0);
	assert_int_equal(got.size, 0);
}

static void
a_failure_comes_behind_the_bytes_before_it(void **state)
{
	auto_bytes struct bytes data = bytes_random(700000, 2);
	auto_bytes struct bytes got = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(
	    drain(read_ahead_new(
		      source_new(data.data, data.size, 0, SOURCE_FAILS), &err),
		1000, &got, &err),
	    -1);
	assert_error(&err, ERROR_UNREACHABLE);
	assert_string_equal(err.text, SOURCE_ERROR);
	assert_same_bytes(&got, &data);
}

static void
a_failed_constructor_passes(void **state)
{
	struct error err = {0};

	(void)state;
	assert_null(read_ahead_new(NULL, &err));
}

/* Full, and never read: the thread waits for room, and is told to stop. */
static void
it_can_be_freed_at_any_time(void **state)
{
	auto_bytes struct bytes data = bytes_random(8000000, 3);
	char some[10];

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct error err = {0};
		struct stream *s = read_ahead_new(
		    source_new(data.data, data.size, 0, SOURCE_ENDS), &err);

		if (i % 2 == 0)
			assert_int_equal(
			    stream_read(s, some, sizeof(some), &err),
			    sizeof(some));
		stream_free(s);
	}
}

/* A pipe that stays silent: both sides wait, the thread for bytes, the reader
 * for the thread. The signal must reach both. */
static int
interrupted(void)
{
	struct error err = {0};
	struct stream *s;
	int ends[2];
	char some[10];

	expect(interrupt_install(&err) == 0);
	expect(pipe(ends) == 0);
	s = read_ahead_new(stream_fd_new(ends[0], "-", &err), &err);
	expect(s != NULL);
	expect(raise(SIGINT) == 0);
	expect(stream_read(s, some, sizeof(some), &err) == -1);
	expect(err.code == ERROR_INTERRUPTED);
	stream_free(s);
	return 0;
}

static void
an_interruption_ends_the_wait(void **state)
{
	(void)state;
	assert_int_equal(in_child(interrupted), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_come_in_their_order),
	    cmocka_unit_test(an_empty_stream_ends),
	    cmocka_unit_test(a_failure_comes_behind_the_bytes_before_it),
	    cmocka_unit_test(a_failed_constructor_passes),
	    cmocka_unit_test(it_can_be_freed_at_any_time),
	    cmocka_unit_test(an_interruption_ends_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
