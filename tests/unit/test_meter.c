#include <signal.h>

#include "base/interrupt.h"
#include "stream/meter.h"
#include "support.h"

struct seen {
	uint64_t last;
	size_t calls;
	bool shrank;
};

static void
on_advance(void *data, uint64_t total_bytes)
{
	struct seen *seen = data;

	seen->shrank |= total_bytes < seen->last;
	seen->last = total_bytes;
	seen->calls++;
}

static void
bytes_are_counted_and_unchanged(void **state)
{
	static const size_t readers[] = {1, 7, 10000};
	auto_bytes struct bytes data = bytes_random(5000, 1);

	(void)state;
	for (size_t i = 0; i < COUNT(readers); i++) {
		auto_bytes struct bytes got = {0};
		struct error err = {0};
		struct seen seen = {0};
		const struct meter_watch watch = {on_advance, &seen};
		struct stream *s =
		    meter_new(source_new(data.data, data.size, 0, SOURCE_ENDS),
			&watch, &err);

		assert_int_equal(drain(s, readers[i], &got, &err), 0);
		assert_same_bytes(&got, &data);
		assert_int_equal(seen.last, data.size);
		assert_in_range(
		    seen.calls, data.size / readers[i], data.size + 1);
		assert_false(seen.shrank);
	}
}

static void
a_watcher_may_be_missing(void **state)
{
	auto_bytes struct bytes got = {0};
	struct error err = {0};
	const struct meter_watch watch = {0};

	(void)state;
	assert_int_equal(
	    drain(meter_new(source_new("abc", 3, 0, SOURCE_ENDS), &watch, &err),
		2, &got, &err),
	    0);
	assert_int_equal(got.size, 3);
}

static void
a_failure_passes(void **state)
{
	auto_bytes struct bytes got = {0};
	struct error err = {0};
	struct seen seen = {0};
	const struct meter_watch watch = {on_advance, &seen};

	(void)state;
	assert_int_equal(drain(meter_new(source_new("abc", 3, 0, SOURCE_FAILS),
				   &watch, &err),
			     2, &got, &err),
	    -1);
	assert_error(&err, ERROR_UNREACHABLE);
	assert_int_equal(seen.last, 3);
}

static void
nothing_passes_through(void **state)
{
	struct error err = {0};
	const struct meter_watch watch = {0};

	(void)state;
	assert_null(meter_new(NULL, &watch, &err));
}

static int
interrupted_body(void)
{
	struct error err = {0};
	const struct meter_watch watch = {0};
	struct stream *s;
	char byte;

	expect(interrupt_install(&err) == 0);
	s = meter_new(stream_memory_new("abc", 3, &err), &watch, &err);
	expect(s != NULL);
	expect(stream_read(s, &byte, 1, &err) == 1);
	expect(raise(SIGINT) == 0);
	expect(stream_read(s, &byte, 1, &err) == -1);
	expect(err.code == ERROR_INTERRUPTED);
	stream_free(s);
	return 0;
}

static void
an_interruption_comes_in(void **state)
{
	(void)state;
	assert_int_equal(in_child(interrupted_body), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_are_counted_and_unchanged),
	    cmocka_unit_test(a_watcher_may_be_missing),
	    cmocka_unit_test(a_failure_passes),
	    cmocka_unit_test(nothing_passes_through),
	    cmocka_unit_test(an_interruption_comes_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
