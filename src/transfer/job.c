#include "transfer/job.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "transfer/watch.h"

/* How often a child tells how far it is. */
#define ADVANCE_EVERY_MS 50

enum tidings {
	STARTED,
	ADVANCED,
	STOPPED,
	RECEIVED,
	NOTED,
	DETAILED,
	RESULT,	 /* the object as text */
	SUCCESS, /* both after RESULT, and the last word */
	FAILURE,
};

/* One packet; the child is the same program. The text has no NUL of its own. */
struct message {
	enum tidings tidings;
	uint64_t number;
	char text[JOB_RESULT_MAX_BYTES];
};

/* How it ended. */
struct last_word {
	enum tidings tidings;
	struct error failure;
};

struct job {
	int fd;	     /* to the child; -1 once it has ended */
	pid_t child; /* 0 once it was reaped */
	json_t *result;
	struct error failure;
	bool told; /* how it ended */

	/* What came last, with room for a NUL behind the longest text. */
	union {
		struct message message;
		struct last_word last;
		char bytes[sizeof(struct message) + 1];
	} packet;
};

/* The child --------------------------------------------------------------- */

struct teller {
	int fd;
	int64_t advanced_ms;
	struct message message;
};

/* A parent that is gone is no reason to fail: its end is ours. */
static void
tell(struct teller *teller, enum tidings tidings, uint64_t number,
    const char *text, int flags)
{
	struct message *message = &teller->message;
	size_t length = strlen(text);

	if (length > sizeof(message->text))
		length = sizeof(message->text);
	message->tidings = tidings;
	message->number = number;
	memcpy(message->text, text, length);
	(void)send(teller->fd, message, offsetof(struct message, text) + length,
	    MSG_NOSIGNAL | flags);
}

static void
tell_start(void *data, const char *what, uint64_t total_bytes)
{
	tell(data, STARTED, total_bytes, what, 0);
}

/* Of these, one may be lost. */
static void
tell_advance(void *data, uint64_t bytes)
{
	struct teller *teller = data;
	int64_t now_ms = clock_now_ms();

	if (now_ms - teller->advanced_ms < ADVANCE_EVERY_MS)
		return;
	teller->advanced_ms = now_ms;
	tell(teller, ADVANCED, bytes, "", MSG_DONTWAIT);
}

static void
tell_stop(void *data)
{
	tell(data, STOPPED, 0, "", 0);
}

static void
tell_received(void *data)
{
	tell(data, RECEIVED, 0, "", 0);
}

static void
tell_note(void *data, const char *text)
{
	tell(data, NOTED, 0, text, 0);
}

static void
tell_detail(void *data, const char *text)
{
	tell(data, DETAILED, 0, text, 0);
}

static int
work_and_tell(
    const struct job_work *work, struct teller *teller, struct error *err)
{
	const struct watch watch = {
	    .data = teller,
	    .start = tell_start,
	    .advance = tell_advance,
	    .stop = tell_stop,
	    .received = tell_received,
	    .note = tell_note,
	    .detail = work->details ? tell_detail : NULL,
	};
	auto_json json_t *result = json_object();
	auto_free char *text = NULL;
	struct error unprinted = {0};
	int status = work->run(work->data, &watch, result, err);

	text = json_print(result, false, &unprinted);
	if (text != NULL && strlen(text) <= JOB_RESULT_MAX_BYTES)
		tell(teller, RESULT, 0, text, 0);
	return status;
}

static _Noreturn void
child_main(
    const struct job_work *work, int fd, pid_t parent, const sigset_t *signals)
{
	struct teller *teller = calloc(1, sizeof(*teller));
	struct last_word last = {.tidings = SUCCESS};

	/* gpg and the guards of a run get the time to tidy up. */
	if (teller == NULL || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 ||
	    getppid() != parent)
		_exit(1);
	teller->fd = fd;
	(void)setpgid(0, 0);
	if (interrupt_renew(&last.failure) == 0) {
		(void)sigprocmask(SIG_SETMASK, signals, NULL);
		(void)work_and_tell(work, teller, &last.failure);
	}
	if (error_is_set(&last.failure))
		last.tidings = FAILURE;
	(void)send(fd, &last, sizeof(last), MSG_NOSIGNAL);
	_exit(0);
}

/* The parent -------------------------------------------------------------- */

struct job *
job_start(const struct job_work *work, struct error *err)
{
	struct job *job = calloc(1, sizeof(*job));
	pid_t parent = getpid();
	sigset_t all;
	sigset_t before;
	int fds[2];

	if (job == NULL) {
		error_set_memory(err);
		return NULL;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
		error_set_errno(err, errno, "socketpair");
		free(job);
		return NULL;
	}
	/* No handler of the parent's runs in the child. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	job->child = fork();
	if (job->child == 0)
		child_main(work, fds[1], parent, &before);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);

	(void)close(fds[1]);
	job->fd = fds[0];
	if (job->child < 0) {
		job->child = 0;
		error_set_errno(err, errno, "fork");
		job_free(job);
		return NULL;
	}
	return job;
}

int
job_fd(const struct job *job)
{
	return job->fd;
}

void
job_signal(const struct job *job, int number)
{
	if (job->child > 0)
		(void)kill(job->child, number);
}

static void
hand_on(
    struct job *job, const struct message *message, const struct watch *watch)
{
	struct error unreadable = {0};

	switch (message->tidings) {
	case STARTED:
		watch_start(watch, message->text, message->number);
		break;
	case ADVANCED:
		watch_advance(watch, message->number);
		break;
	case STOPPED:
		watch_stop(watch);
		break;
	case RECEIVED:
		watch_received(watch);
		break;
	case NOTED:
		watch_note(watch, "%s", message->text);
		break;
	case DETAILED:
		watch_detail(watch, "%s", message->text);
		break;
	case RESULT:
		json_decref(job->result);
		job->result = json_parse(
		    message->text, strlen(message->text), "job", &unreadable);
		break;
	case SUCCESS:
	case FAILURE:
		break;
	}
}

/* What is there now: 1 after a packet, 0 when there is none, -1 at the end. */
static int
receive(struct job *job, const struct watch *watch)
{
	const struct message *message = &job->packet.message;
	ssize_t got =
	    recv(job->fd, &job->packet, sizeof(struct message), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got < (ssize_t)offsetof(struct message, text))
		return -1;
	job->packet.bytes[got] = '\0';
	if (message->tidings == SUCCESS || message->tidings == FAILURE) {
		job->failure = job->packet.last.failure;
		job->told = true;
		return 1;
	}
	hand_on(job, message, watch);
	return 1;
}

/* The child is gone, or will be at once. */
static void
reap(struct job *job)
{
	int status = 0;

	(void)close(job->fd);
	job->fd = -1;
	while (waitpid(job->child, &status, 0) < 0 && errno == EINTR)
		continue;
	job->child = 0;
	if (job->told)
		return;
	if (WIFSIGNALED(status))
		error_set(&job->failure, ERROR_FAILED,
		    _("its process was killed (signal %d)"), WTERMSIG(status));
	else
		error_set(&job->failure, ERROR_FAILED,
		    _("its process ended without a word"));
}

int
job_hear(struct job *job, const struct watch *watch, json_t **ret_result,
    struct error *ret_failure)
{
	int heard = 1;

	while (heard > 0)
		heard = receive(job, watch);
	if (heard == 0)
		return 1;
	reap(job);
	*ret_result = job->result != NULL ? steal(job->result) : json_object();
	*ret_failure = job->failure;
	return 0;
}

void
job_free(struct job *job)
{
	if (job == NULL)
		return;
	if (job->child > 0) {
		job_signal(job, SIGTERM);
		reap(job);
	} else if (job->fd >= 0) {
		(void)close(job->fd);
	}
	json_decref(job->result);
	free(job);
}
