#include "transfer/thaw_guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/descriptors.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "base/wait.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "incus/instance_state.h"
#include "store/system_log.h"

/* Between two tries to thaw. */
#define TRY_EVERY_MS 500

struct thaw_guard {
	const struct instance_ref *instance;
	int timeout_s;
	int limit_s;
	int fd;	     /* to the child; -1 once it has ended */
	pid_t child; /* 0 once it was reaped */
};

enum outcome {
	FROZEN,
	NOT_FROZEN, /* `error` says why */
	THAWED,
	THAWED_BEFORE, /* when it was to be thawed, it was not frozen */
	OUT_OF_TIME,
	CHILD_KILLED, /* nobody says so */
};

/* What the child says: it is the same program. */
struct report {
	enum outcome outcome;
	int64_t frozen_ms;
	struct error error;
};

/* The child --------------------------------------------------------------- */

static int
thaw_once(
    const struct thaw_guard *guard, bool *ret_was_frozen, struct error *err)
{
	/* A daemon that has come back may listen elsewhere. */
	auto_client struct incus_client *client =
	    incus_client_open(guard->timeout_s, err);

	if (client == NULL)
		return -1;
	return incus_instance_thaw(
	    client, guard->instance, ret_was_frozen, err);
}

static int
thaw(const struct thaw_guard *guard, int tries_s, bool *ret_was_frozen,
    struct error *err)
{
	int64_t deadline_ms = clock_now_ms() + tries_s * INT64_C(1000);

	while (thaw_once(guard, ret_was_frozen, err) < 0) {
		struct error ignored = {0};

		if (clock_left_ms(deadline_ms) == 0 ||
		    wait_ready(-1, 0, TRY_EVERY_MS, &ignored) < 0)
			return -1;
		error_clear(err);
	}
	return 0;
}

/* Nobody may be left to hear it. */
static void
log_stuck(const struct thaw_guard *guard, const struct error *why)
{
	struct error ignored = {0};
	auto_free char *text = text_format(&ignored,
	    "'%s/%s' stays frozen, it could not be thawed: %s",
	    guard->instance->project, guard->instance->name, why->text);

	if (text != NULL)
		(void)system_log_send(SYSTEM_LOG_SOCKET, text, &ignored);
}

static void
send_report(const struct thaw_guard *guard, const struct report *report)
{
	(void)send(guard->fd, report, sizeof(*report), MSG_NOSIGNAL);
}

static int
freeze(const struct thaw_guard *guard, struct error *err)
{
	auto_client struct incus_client *client =
	    incus_client_open(guard->timeout_s, err);

	if (client == NULL)
		return -1;
	return incus_instance_freeze(client, guard->instance, err);
}

static void
guard_instance(const struct thaw_guard *guard)
{
	struct report report = {.outcome = NOT_FROZEN};
	struct error why = {0};
	int64_t since_ms = clock_now_ms();
	bool was_frozen = false;
	int told;

	if (freeze(guard, &report.error) < 0) {
		if (report.error.code != ERROR_EXISTS &&
		    thaw(guard, THAW_GUARD_TRIES_S, &was_frozen, &why) < 0)
			log_stuck(guard, &why);
		send_report(guard, &report);
		return;
	}
	report.outcome = FROZEN;
	send_report(guard, &report);

	/* The other end never writes: it is closed, by hand or by the kernel.
	 */
	told = wait_ready(guard->fd, POLLIN,
	    clock_left_ms(since_ms + guard->limit_s * INT64_C(1000)), &why);
	error_clear(&why);
	if (thaw(guard, THAW_GUARD_TRIES_S, &was_frozen, &why) < 0) {
		log_stuck(guard, &why);
		return;
	}
	report.frozen_ms = clock_now_ms() - since_ms;
	report.outcome = THAWED;
	if (told <= 0)
		report.outcome = OUT_OF_TIME;
	else if (!was_frozen)
		report.outcome = THAWED_BEFORE;
	send_report(guard, &report);
}

/* Holds nothing of the parent's: neither its output, whose reader waits for the
 * end, nor its directory, nor its terminal. */
static _Noreturn void
child_main(struct thaw_guard *guard, const sigset_t *signals)
{
	interrupt_ignore();
	(void)sigprocmask(SIG_SETMASK, signals, NULL);
	(void)setsid();
	if (chdir("/") < 0)
		_exit(1);
	(void)close_range(0, (unsigned int)guard->fd - 1, 0);
	(void)close_range((unsigned int)guard->fd + 1, ~0U, 0);
	if (descriptors_open_standard() == 0)
		guard_instance(guard);
	_exit(0);
}

/* The parent -------------------------------------------------------------- */

static int
start_child(struct thaw_guard *guard, struct error *err)
{
	sigset_t all;
	sigset_t before;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return error_set_errno(err, errno, "socketpair");

	/* No handler of ours runs in the child. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	guard->child = fork();
	if (guard->child == 0) {
		guard->fd = fds[1];
		child_main(guard, &before);
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);

	(void)close(fds[1]);
	guard->fd = fds[0];
	if (guard->child < 0) {
		guard->child = 0;
		return error_set_errno(err, errno, "fork");
	}
	return 0;
}

/* What the child says next: 1, 0 when it is gone without a word, -1 when it
 * says nothing in time. */
static int
hear(const struct thaw_guard *guard, struct report *ret_report,
    struct error *err)
{
	/* The child itself waits as long for each of a few answers. */
	int patience_s = guard->timeout_s * 3;
	int64_t deadline_ms = clock_now_ms() + patience_s * INT64_C(1000);
	int ready =
	    wait_ready(guard->fd, POLLIN, clock_left_ms(deadline_ms), err);

	if (ready < 0)
		return -1;
	if (ready == 0)
		return error_set(err, ERROR_UNREACHABLE,
		    _("the daemon has neither frozen nor thawed '%s/%s' for "
		      "%d s"),
		    guard->instance->project, guard->instance->name,
		    patience_s);
	return recv(guard->fd, ret_report, sizeof(*ret_report), MSG_DONTWAIT) ==
	       (ssize_t)sizeof(*ret_report);
}

/* A child that is not done goes on alone. */
static void
leave_child(struct thaw_guard *guard, bool is_done)
{
	if (guard->fd >= 0)
		(void)close(guard->fd);
	guard->fd = -1;
	if (guard->child > 0)
		(void)waitpid(guard->child, NULL, is_done ? 0 : WNOHANG);
	guard->child = 0;
}

static void
hint_thaw(const struct thaw_guard *guard, struct error *err)
{
	error_hint(err, _("'%s/%s' may still be frozen:"),
	    guard->instance->project, guard->instance->name);
	error_hint_command(err, "incus", "resume", guard->instance->name,
	    "--project", guard->instance->project, NULL);
}

/* Hear the child out. -1 when it is not known to be thawed; after an
 * interruption the child can still be heard. */
static int
settle(struct thaw_guard *guard, struct report *ret_report, struct error *err)
{
	struct report report = {.outcome = FROZEN};
	bool was_frozen = false;
	int heard = 1;

	while (heard > 0 && report.outcome == FROZEN)
		heard = hear(guard, &report, err);
	if (heard < 0 && err->code != ERROR_UNREACHABLE)
		return -1;

	leave_child(guard, heard >= 0);
	/* A child that was killed: what it was there for is done here. */
	if (heard == 0) {
		report.outcome = CHILD_KILLED;
		heard = thaw(guard, guard->timeout_s, &was_frozen, err);
	}
	if (heard < 0) {
		hint_thaw(guard, err);
		return -1;
	}
	*ret_report = report;
	return 0;
}

static int
judge(const struct thaw_guard *guard, const struct report *report,
    struct error *err)
{
	switch (report->outcome) {
	case FROZEN:
	case THAWED:
		return 0;
	case NOT_FROZEN:
		*err = report->error;
		return -1;
	case THAWED_BEFORE:
		return error_set(err, ERROR_FAILED,
		    _("'%s/%s' was thawed by somebody else before it was "
		      "read"),
		    guard->instance->project, guard->instance->name);
	case OUT_OF_TIME:
		error_set(err, ERROR_FAILED,
		    _("'%s/%s' was thawed after %d s, before it was read"),
		    guard->instance->project, guard->instance->name,
		    guard->limit_s);
		return error_hint(
		    err, _("--freeze-limit gives it longer; --consistency live "
			   "does not freeze it"));
	case CHILD_KILLED:
		break;
	}
	return error_set(err, ERROR_FAILED,
	    _("the process that was to thaw '%s/%s' was killed: it was thawed "
	      "too early"),
	    guard->instance->project, guard->instance->name);
}

struct thaw_guard *
thaw_guard_new(const struct instance_ref *instance, int timeout_s, int limit_s,
    struct error *err)
{
	struct thaw_guard *guard = calloc(1, sizeof(*guard));
	struct report report = {0};
	int heard;

	if (guard == NULL) {
		error_set_memory(err);
		return NULL;
	}
	guard->fd = -1;
	guard->instance = instance;
	guard->timeout_s = timeout_s;
	guard->limit_s = limit_s;
	if (start_child(guard, err) < 0) {
		thaw_guard_free(guard, err);
		return NULL;
	}

	heard = hear(guard, &report, err);
	if (heard > 0 && report.outcome == FROZEN)
		return guard;
	if (heard > 0) {
		leave_child(guard, true);
		(void)judge(guard, &report, err);
	} else if (heard == 0 && settle(guard, &report, err) == 0) {
		(void)judge(guard, &report, err);
	}
	thaw_guard_free(guard, err);
	return NULL;
}

void
thaw_guard_release(struct thaw_guard *guard)
{
	if (guard->fd >= 0)
		(void)shutdown(guard->fd, SHUT_WR);
}

int
thaw_guard_end(
    struct thaw_guard *guard, int64_t *ret_frozen_ms, struct error *err)
{
	struct report report;

	thaw_guard_release(guard);
	if (settle(guard, &report, err) < 0)
		return -1;
	*ret_frozen_ms = report.frozen_ms;
	return judge(guard, &report, err);
}

void
thaw_guard_free(struct thaw_guard *guard, struct error *err)
{
	struct report report;
	struct error why = {0};

	if (guard == NULL)
		return;
	if (guard->fd >= 0) {
		interrupt_shield_up();
		thaw_guard_release(guard);
		if (settle(guard, &report, &why) < 0) {
			leave_child(guard, false);
			hint_thaw(guard, err);
		}
		interrupt_shield_down();
	}
	free(guard);
}
