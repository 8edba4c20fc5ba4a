#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "support.h"

static bool
is_readable(int fd)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};

	return poll(&one, 1, 0) == 1;
}

static int
quiet_body(void)
{
	struct error err = {0};

	expect(interrupt_check(&err) == 0);
	expect(interrupt_install(&err) == 0);
	expect(!interrupt_seen());
	expect(interrupt_check(&err) == 0);
	expect(interrupt_fd() >= 0 && !is_readable(interrupt_fd()));
	expect(!error_is_set(&err));
	return 0;
}

static int
stops_with(int number, enum error_code code)
{
	struct error err = {0};
	struct error other = {0};

	expect(interrupt_install(&err) == 0);
	expect(raise(number) == 0);
	expect(interrupt_seen());
	expect(is_readable(interrupt_fd()));
	expect(interrupt_check(&err) == -1);
	expect(err.code == code && err.text[0] != '\0');

	/* It stays so, and an error that is set is kept. */
	expect(interrupt_check(&err) == -1);
	error_set(&other, ERROR_DAMAGED, "first");
	expect(interrupt_check(&other) == -1);
	expect(other.code == ERROR_DAMAGED);
	expect(strcmp(other.text, "first") == 0);
	return 0;
}

static int
int_body(void)
{
	return stops_with(SIGINT, ERROR_INTERRUPTED);
}

static int
term_body(void)
{
	return stops_with(SIGTERM, ERROR_TERMINATED);
}

static int
hup_body(void)
{
	return stops_with(SIGHUP, ERROR_TERMINATED);
}

static int
shield_body(void)
{
	struct error err = {0};

	expect(interrupt_install(&err) == 0);
	interrupt_shield_up();
	interrupt_shield_up();
	expect(interrupt_fd() == -1);
	expect(raise(SIGINT) == 0);
	expect(interrupt_check(&err) == 0);
	expect(interrupt_seen());
	expect(interrupt_fd() == -1);

	interrupt_shield_down();
	expect(interrupt_check(&err) == 0);
	interrupt_shield_down();
	expect(interrupt_check(&err) == -1);
	expect(err.code == ERROR_INTERRUPTED);
	expect(is_readable(interrupt_fd()));
	return 0;
}

/* First Ctrl-C outside, second while the program tidies up. */
static int
second_signal(int number)
{
	struct error err = {0};

	expect(interrupt_install(&err) == 0);
	expect(raise(SIGINT) == 0);
	interrupt_shield_up();
	expect(raise(number) == 0);
	return 0;
}

static int
second_int_body(void)
{
	return second_signal(SIGINT);
}

static int
second_term_body(void)
{
	return second_signal(SIGTERM);
}

static int
second_hup_body(void)
{
	return second_signal(SIGHUP);
}

/* Without a shield further signals change nothing but the reason. */
static int
many_body(void)
{
	struct error err = {0};

	expect(interrupt_install(&err) == 0);
	/* More than a pipe holds: the handler must not block. */
	for (int i = 0; i < 70000; i++)
		expect(raise(SIGINT) == 0);
	expect(interrupt_check(&err) == -1);
	expect(err.code == ERROR_INTERRUPTED);
	return 0;
}

static int
nohup_body(void)
{
	struct error err = {0};

	expect(signal(SIGHUP, SIG_IGN) != SIG_ERR);
	expect(interrupt_install(&err) == 0);
	expect(raise(SIGHUP) == 0);
	expect(!interrupt_seen());
	expect(interrupt_check(&err) == 0);
	return 0;
}

static int
pipe_body(void)
{
	struct error err = {0};
	int fds[2];

	expect(interrupt_install(&err) == 0);
	expect(pipe(fds) == 0);
	expect(close(fds[0]) == 0);
	expect(write(fds[1], "x", 1) == -1);
	expect(!interrupt_seen());
	return 0;
}

static void
nothing_without_a_signal(void **state)
{
	(void)state;
	assert_int_equal(in_child(quiet_body), 0);
}

static void
sigint_interrupts(void **state)
{
	(void)state;
	assert_int_equal(in_child(int_body), 0);
}

static void
sigterm_terminates(void **state)
{
	(void)state;
	assert_int_equal(in_child(term_body), 0);
}

static void
sighup_terminates(void **state)
{
	(void)state;
	assert_int_equal(in_child(hup_body), 0);
}

static void
a_shield_holds_it_back(void **state)
{
	(void)state;
	assert_int_equal(in_child(shield_body), 0);
}

static void
many_signals_do_not_block(void **state)
{
	(void)state;
	assert_int_equal(in_child(many_body), 0);
}

static void
an_ignored_sighup_stays_ignored(void **state)
{
	(void)state;
	assert_int_equal(in_child(nohup_body), 0);
}

static void
sigpipe_is_ignored(void **state)
{
	(void)state;
	assert_int_equal(in_child(pipe_body), 0);
}

static void
a_second_one_under_a_shield_ends_at_once(void **state)
{
	static const struct {
		int (*body)(void);
		int status;
	} cases[] = {
	    {second_int_body, ERROR_INTERRUPTED},
	    {second_term_body, ERROR_TERMINATED},
	    {second_hup_body, ERROR_TERMINATED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int status = in_child(cases[i].body);

		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), cases[i].status);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_without_a_signal),
	    cmocka_unit_test(sigint_interrupts),
	    cmocka_unit_test(sigterm_terminates),
	    cmocka_unit_test(sighup_terminates),
	    cmocka_unit_test(a_shield_holds_it_back),
	    cmocka_unit_test(many_signals_do_not_block),
	    cmocka_unit_test(an_ignored_sighup_stays_ignored),
	    cmocka_unit_test(sigpipe_is_ignored),
	    cmocka_unit_test(a_second_one_under_a_shield_ends_at_once),
	};

	/* Whoever starts this may ignore it, as nohup(1) does. */
	(void)signal(SIGHUP, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
