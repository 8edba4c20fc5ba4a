#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/wait.h"
#include "support.h"

struct ends {
	int out; /* to read from */
	int in;	 /* to write to */
};

static struct ends
open_pipe(void)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	return (struct ends){.out = fds[0], .in = fds[1]};
}

static void
close_pipe(struct ends ends)
{
	(void)close(ends.out);
	(void)close(ends.in);
}

static void
time_runs_out(void **state)
{
	struct ends ends = open_pipe();
	struct error err = {0};
	int64_t start = clock_now_ms();

	(void)state;
	assert_int_equal(wait_ready(ends.out, POLLIN, 0, &err), 0);
	assert_int_equal(wait_ready(ends.out, POLLIN, 30, &err), 0);
	assert_true(clock_now_ms() - start >= 29);
	assert_no_error(&err);
	close_pipe(ends);
}

static void
readiness_is_seen(void **state)
{
	struct ends ends = open_pipe();
	struct error err = {0};

	(void)state;
	assert_int_equal(wait_ready(ends.in, POLLOUT, -1, &err), 1);
	assert_int_equal(write(ends.in, "x", 1), 1);
	assert_int_equal(wait_ready(ends.out, POLLIN, -1, &err), 1);
	assert_int_equal(wait_ready(ends.out, POLLIN, 0, &err), 1);
	close_pipe(ends);
}

/* The end of a pipe is news, too: the read that follows tells it. */
static void
hangup_is_readiness(void **state)
{
	struct ends ends = open_pipe();
	struct error err = {0};

	(void)state;
	(void)close(ends.in);
	assert_int_equal(wait_ready(ends.out, POLLIN, -1, &err), 1);
	(void)close(ends.out);
}

static int
interrupted_body(void)
{
	struct error err = {0};
	int fds[2];

	expect(interrupt_install(&err) == 0);
	expect(pipe2(fds, O_CLOEXEC) == 0);
	expect(raise(SIGINT) == 0);
	expect(wait_ready(fds[0], POLLIN, -1, &err) == -1);
	expect(err.code == ERROR_INTERRUPTED);
	return 0;
}

static void
a_signal_ends_a_wait(void **state)
{
	(void)state;
	assert_int_equal(in_child(interrupted_body), 0);
}

/* The signal comes while poll(2) sleeps, or before: both must end it. */
static int
late_signal_body(void)
{
	struct error err = {0};
	int fds[2];
	pid_t parent = getpid();
	pid_t child;

	expect(interrupt_install(&err) == 0);
	expect(pipe2(fds, O_CLOEXEC) == 0);
	child = fork();
	expect(child >= 0);
	if (child == 0)
		_exit(kill(parent, SIGTERM));
	expect(wait_ready(fds[0], POLLIN, -1, &err) == -1);
	expect(err.code == ERROR_TERMINATED);
	expect(waitpid(child, NULL, 0) == child);
	return 0;
}

static void
a_late_signal_ends_a_wait(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(in_child(late_signal_body), 0);
}

static int
shielded_body(void)
{
	struct error err = {0};
	int fds[2];

	expect(interrupt_install(&err) == 0);
	expect(pipe2(fds, O_CLOEXEC) == 0);
	interrupt_shield_up();
	expect(raise(SIGINT) == 0);
	expect(wait_ready(fds[0], POLLIN, 5, &err) == 0);
	expect(wait_ready(fds[1], POLLOUT, -1, &err) == 1);
	expect(wait_write_all(fds[1], "abc", 3, "pipe", &err) == 0);
	interrupt_shield_down();
	expect(wait_ready(fds[0], POLLIN, -1, &err) == -1);
	return 0;
}

static void
a_shielded_wait_goes_on(void **state)
{
	(void)state;
	assert_int_equal(in_child(shielded_body), 0);
}

/* Read all of `fd` and compare; the exit status of a child. */
static int
swallow(int fd, const struct bytes *expected)
{
	size_t total = 0;
	unsigned char buf[1000];

	for (;;) {
		ssize_t got = read(fd, buf, sizeof(buf));

		if (got < 0)
			return 1;
		if (got == 0)
			return total == expected->size ? 0 : 2;
		if (total + (size_t)got > expected->size ||
		    memcmp(buf, expected->data + total, (size_t)got) != 0)
			return 3;
		total += (size_t)got;
	}
}

static void
write_through_a_pipe(int flags)
{
	auto_bytes struct bytes data = bytes_random(1 << 20, 3);
	struct ends ends = open_pipe();
	struct error err = {0};
	int status = -1;
	pid_t child;

	assert_int_equal(fcntl(ends.in, F_SETFL, flags), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(ends.in);
		_exit(swallow(ends.out, &data));
	}
	assert_int_equal(
	    wait_write_all(ends.in, data.data, data.size, "pipe", &err), 0);
	assert_no_error(&err);
	close_pipe(ends);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
all_is_written_to_a_pipe(void **state)
{
	(void)state;
	write_through_a_pipe(0);
	write_through_a_pipe(O_NONBLOCK);
}

static void
nothing_is_written_at_once(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(wait_write_all(-1, "", 0, "none", &err), 0);
	assert_no_error(&err);
}

static void
write_errors_name_their_file(void **state)
{
	struct ends ends = open_pipe();
	struct error err = {0};
	auto_close int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	(void)close(ends.out);
	assert_int_equal(wait_write_all(ends.in, "x", 1, "a pipe", &err), -1);
	assert_error(&err, ERROR_FAILED);
	assert_non_null(strstr(err.text, "'a pipe'"));
	assert_non_null(strstr(err.text, strerror(EPIPE)));
	(void)close(ends.in);

	error_clear(&err);
	assert_int_equal(wait_write_all(full, "x", 1, "disk", &err), -1);
	assert_error(&err, ERROR_NO_SPACE);
}

/* A reader that takes nothing must not keep an interrupted writer. */
static int
full_pipe_body(void)
{
	static const char block[1 << 20];
	struct error err = {0};
	int fds[2];
	pid_t parent = getpid();
	pid_t child;

	expect(interrupt_install(&err) == 0);
	expect(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
	child = fork();
	expect(child >= 0);
	if (child == 0)
		_exit(kill(parent, SIGINT));
	expect(wait_write_all(fds[1], block, sizeof(block), "p", &err) == -1);
	expect(err.code == ERROR_INTERRUPTED);
	expect(waitpid(child, NULL, 0) == child);
	return 0;
}

static void
a_signal_ends_a_write(void **state)
{
	(void)state;
	assert_int_equal(in_child(full_pipe_body), 0);
}

/* Whether process `id` sleeps in a system call (proc(5), field 3). */
static bool
is_asleep(pid_t id)
{
	char path[40];
	char text[400] = "";
	const char *after;
	ssize_t got;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)id);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	after = got > 0 ? strrchr(text, ')') : NULL;
	return after != NULL && after[1] == ' ' && after[2] == 'S';
}

/* Send SIGINT once `writer` has filled the pipe and sleeps in its write. */
static int
wake_writer(pid_t writer, int out, int in)
{
	int capacity = fcntl(in, F_GETPIPE_SZ);
	int held = 0;

	expect(capacity > 0);
	while (held < capacity || !is_asleep(writer))
		expect(ioctl(out, FIONREAD, &held) == 0);
	expect(kill(writer, SIGINT) == 0);
	return 0;
}

static int
blocked_body(void)
{
	static const char block[1 << 20];
	struct error err = {0};
	int fds[2];
	pid_t writer = getpid();
	pid_t child;

	expect(interrupt_install(&err) == 0);
	expect(pipe2(fds, O_CLOEXEC) == 0);
	child = fork();
	expect(child >= 0);
	if (child == 0)
		_exit(wake_writer(writer, fds[0], fds[1]));
	/* It fails as a hang would: by SIGALRM. */
	(void)alarm(20);
	expect(wait_write_all(fds[1], block, sizeof(block), "p", &err) == -1);
	expect(err.code == ERROR_INTERRUPTED);
	expect(waitpid(child, NULL, 0) == child);
	return 0;
}

/* write(2) then tells how much it has written, not that it was interrupted. */
static void
a_signal_ends_a_write_half_done(void **state)
{
	(void)state;
	assert_int_equal(in_child(blocked_body), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(time_runs_out),
	    cmocka_unit_test(readiness_is_seen),
	    cmocka_unit_test(hangup_is_readiness),
	    cmocka_unit_test(a_signal_ends_a_wait),
	    cmocka_unit_test(a_late_signal_ends_a_wait),
	    cmocka_unit_test(a_shielded_wait_goes_on),
	    cmocka_unit_test(all_is_written_to_a_pipe),
	    cmocka_unit_test(nothing_is_written_at_once),
	    cmocka_unit_test(write_errors_name_their_file),
	    cmocka_unit_test(a_signal_ends_a_write),
	    cmocka_unit_test(a_signal_ends_a_write_half_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
