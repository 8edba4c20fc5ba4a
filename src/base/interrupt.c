#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include "base/error.h"
#include "base/i18n.h"

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

/* Written by the handler, read by every thread that waits (read_ahead.h):
 * atomic, and free of locks. */
static atomic_int last_signal;
static atomic_int shields;
static atomic_bool patient; /* several signals are one */
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "fit for a signal's handler");
static int wake_pipe[2] = {-1, -1};

static void
on_signal(int number)
{
	int saved = errno;

	/* SIGHUP ends with SIGTERM's status, as it does without a shield. */
	if (last_signal != 0 && shields > 0 && !patient)
		_exit(number == SIGINT ? ERROR_INTERRUPTED : ERROR_TERMINATED);
	last_signal = number;
	/* A full pipe is as readable as one with a byte more. */
	if (write(wake_pipe[1], "", 1) < 0)
		errno = saved;
	errno = saved;
}

int
interrupt_install(struct error *err)
{
	struct sigaction action = {.sa_handler = on_signal};

	if (pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_set_errno(err, errno, "pipe");

	/* No SA_RESTART: a blocking call must return. */
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < NUMBERS; i++) {
		struct sigaction before;

		/* nohup(1) wants SIGHUP to stay ignored. */
		if (sigaction(numbers[i], NULL, &before) == 0 &&
		    before.sa_handler == SIG_IGN)
			continue;
		if (sigaction(numbers[i], &action, NULL) < 0)
			return error_set_errno(err, errno, "sigaction");
	}

	action.sa_handler = SIG_IGN;
	if (sigaction(SIGPIPE, &action, NULL) < 0)
		return error_set_errno(err, errno, "sigaction");
	return 0;
}

int
interrupt_check(struct error *err)
{
	if (last_signal == 0 || shields > 0)
		return 0;

	if (!error_is_set(err)) {
		if (last_signal == SIGINT)
			error_set(
			    err, ERROR_INTERRUPTED, "%s", _("interrupted"));
		else
			error_set(err, ERROR_TERMINATED, "%s", _("terminated"));
	}
	return -1;
}

bool
interrupt_seen(void)
{
	return last_signal != 0;
}

int
interrupt_fd(void)
{
	return shields > 0 ? -1 : wake_pipe[0];
}

void
interrupt_shield_up(void)
{
	(void)atomic_fetch_add(&shields, 1);
}

void
interrupt_shield_down(void)
{
	(void)atomic_fetch_sub(&shields, 1);
}

static void
forget(void)
{
	last_signal = 0;
	for (size_t i = 0; i < 2; i++) {
		if (wake_pipe[i] >= 0)
			(void)close(wake_pipe[i]);
		wake_pipe[i] = -1;
	}
}

int
interrupt_renew(struct error *err)
{
	forget();
	shields = 0;
	patient = true;
	if (pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_set_errno(err, errno, "pipe");
	return 0;
}

void
interrupt_ignore(void)
{
	struct sigaction action = {.sa_handler = SIG_IGN};

	for (size_t i = 0; i < NUMBERS; i++)
		(void)sigaction(numbers[i], &action, NULL);
	forget();
}
