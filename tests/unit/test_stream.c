#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/interrupt.h"
#include "support.h"

static void
memory_gives_its_bytes(void **state)
{
	static const size_t readers[] = {1, 7, 100, 1000, 4096};
	auto_bytes struct bytes data = bytes_random(1000, 1);

	(void)state;
	for (size_t i = 0; i < COUNT(readers); i++) {
		auto_bytes struct bytes got = {0};
		struct error err = {0};
		struct stream *s =
		    stream_memory_new(data.data, data.size, &err);

		assert_int_equal(drain(s, readers[i], &got, &err), 0);
		assert_same_bytes(&got, &data);
	}
}

static void
memory_may_be_empty(void **state)
{
	auto_bytes struct bytes got = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(
	    drain(stream_memory_new(NULL, 0, &err), 10, &got, &err), 0);
	assert_int_equal(got.size, 0);
}

/* A descriptor that will give `data` and then the end. */
static int
pipe_with(const char *data, size_t size)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], data, size), (ssize_t)size);
	(void)close(fds[1]);
	return fds[0];
}

static void
fd_gives_its_bytes(void **state)
{
	static const size_t readers[] = {1, 3, 100};

	(void)state;
	for (size_t i = 0; i < COUNT(readers); i++) {
		auto_bytes struct bytes got = {0};
		struct error err = {0};
		int fd = pipe_with("hello world", 11);
		struct stream *s = stream_fd_new(fd, "pipe", &err);

		assert_int_equal(drain(s, readers[i], &got, &err), 0);
		assert_int_equal(got.size, 11);
		assert_memory_equal(got.data, "hello world", 11);
		/* It was owned. */
		assert_int_equal(fcntl(fd, F_GETFD), -1);
	}
}

static void
fd_waits_for_one_that_does_not_block(void **state)
{
	auto_bytes struct bytes got = {0};
	struct error err = {0};
	int fd = pipe_with("x", 1);

	(void)state;
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(
	    drain(stream_fd_new(fd, "pipe", &err), 5, &got, &err), 0);
	assert_int_equal(got.size, 1);
}

static void
fd_errors_name_their_file(void **state)
{
	auto_bytes struct bytes got = {0};
	struct error err = {0};
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(
	    drain(stream_fd_new(fd, "the root", &err), 5, &got, &err), -1);
	assert_error(&err, ERROR_FAILED);
	assert_non_null(strstr(err.text, "'the root'"));
	assert_non_null(strstr(err.text, strerror(EISDIR)));
}

static int
silent_pipe_body(void)
{
	struct error err = {0};
	struct stream *s;
	char byte;
	int fds[2];

	expect(interrupt_install(&err) == 0);
	expect(pipe2(fds, O_CLOEXEC) == 0);
	s = stream_fd_new(fds[0], "pipe", &err);
	expect(s != NULL);
	expect(raise(SIGINT) == 0);
	expect(stream_read(s, &byte, 1, &err) == -1);
	expect(err.code == ERROR_INTERRUPTED);
	stream_free(s);
	return 0;
}

static void
an_interruption_ends_a_read(void **state)
{
	(void)state;
	assert_int_equal(in_child(silent_pipe_body), 0);
}

static void
read_full_fills(void **state)
{
	auto_bytes struct bytes data = bytes_random(100, 2);

	(void)state;
	for (size_t chunk = 1; chunk < 40; chunk++) {
		struct error err = {0};
		unsigned char buf[60];
		auto_stream struct stream *s =
		    source_new(data.data, data.size, chunk, SOURCE_ENDS);

		assert_int_equal(stream_read_full(s, buf, 60, &err), 60);
		assert_memory_equal(buf, data.data, 60);
		assert_int_equal(stream_read_full(s, buf, 60, &err), 40);
		assert_memory_equal(buf, data.data + 60, 40);
		assert_int_equal(stream_read_full(s, buf, 60, &err), 0);
		assert_int_equal(stream_read_full(s, buf, 0, &err), 0);
		assert_no_error(&err);
	}
}

static void
read_full_fails_with_its_source(void **state)
{
	struct error err = {0};
	char buf[10];
	auto_stream struct stream *s = source_new("abc", 3, 2, SOURCE_FAILS);

	(void)state;
	assert_int_equal(stream_read_full(s, buf, 3, &err), 3);
	assert_int_equal(stream_read_full(s, buf, 10, &err), -1);
	assert_error(&err, ERROR_UNREACHABLE);
	assert_string_equal(err.text, SOURCE_ERROR);
}

static void
write_fd_writes_to_the_end(void **state)
{
	auto_bytes struct bytes data = bytes_random(50000, 3);
	struct error err = {0};
	uint64_t written = 0;
	unsigned char buf[50000];
	int fds[2];
	auto_stream struct stream *s =
	    source_new(data.data, data.size, 777, SOURCE_ENDS);

	(void)state;
	/* Less than a pipe holds. */
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(stream_write_fd(s, fds[1], "pipe", &written, &err), 0);
	assert_int_equal(written, data.size);
	assert_int_equal(read(fds[0], buf, sizeof(buf)), (ssize_t)data.size);
	assert_memory_equal(buf, data.data, data.size);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
write_fd_fails_with_either_side(void **state)
{
	auto_close int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	auto_close int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct error err = {0};
	uint64_t written = 77;
	auto_stream struct stream *good = source_new("abc", 3, 0, SOURCE_ENDS);
	auto_stream struct stream *bad = source_new("abc", 3, 0, SOURCE_FAILS);

	(void)state;
	assert_int_equal(
	    stream_write_fd(good, full, "full", &written, &err), -1);
	assert_error(&err, ERROR_NO_SPACE);
	error_clear(&err);
	assert_int_equal(
	    stream_write_fd(bad, null, "null", &written, &err), -1);
	assert_error(&err, ERROR_UNREACHABLE);
	assert_int_equal(written, 77);
}

/* The test source aborts the test when it is asked again. */
static void
a_failure_lasts(void **state)
{
	struct error first = {0};
	struct error second = {0};
	char byte;
	auto_stream struct stream *s = source_new("", 0, 0, SOURCE_FAILS);

	(void)state;
	assert_int_equal(stream_read(s, &byte, 1, &first), -1);
	assert_error(&first, ERROR_UNREACHABLE);
	/* An error that is set is kept; a clear one is set. */
	assert_int_equal(stream_read(s, &byte, 1, &first), -1);
	assert_error(&first, ERROR_UNREACHABLE);
	assert_int_equal(stream_read(s, &byte, 1, &second), -1);
	assert_error(&second, ERROR_FAILED);
}

static void
an_end_lasts(void **state)
{
	struct error err = {0};
	char byte;
	auto_stream struct stream *s = source_new("a", 1, 0, SOURCE_ENDS);

	(void)state;
	assert_int_equal(stream_read(s, &byte, 1, &err), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(stream_read(s, &byte, 1, &err), 0);
	assert_no_error(&err);
}

static void
refusing_frees(void **state)
{
	struct error err = {0};

	(void)state;
	stream_free(NULL);
	assert_null(stream_refuse(NULL));
	assert_null(stream_refuse(stream_memory_new("a", 1, &err)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_gives_its_bytes),
	    cmocka_unit_test(memory_may_be_empty),
	    cmocka_unit_test(fd_gives_its_bytes),
	    cmocka_unit_test(fd_waits_for_one_that_does_not_block),
	    cmocka_unit_test(fd_errors_name_their_file),
	    cmocka_unit_test(an_interruption_ends_a_read),
	    cmocka_unit_test(read_full_fills),
	    cmocka_unit_test(read_full_fails_with_its_source),
	    cmocka_unit_test(write_fd_writes_to_the_end),
	    cmocka_unit_test(write_fd_fails_with_either_side),
	    cmocka_unit_test(a_failure_lasts),
	    cmocka_unit_test(an_end_lasts),
	    cmocka_unit_test(refusing_frees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
