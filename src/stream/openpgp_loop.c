#include "stream/openpgp_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"

/* How far gpg may be ahead: as much as anyone may ask for (pipe(7),
 * /proc/sys/fs/pipe-max-size). Where it is refused, 64 KiB do. Its input keeps
 * to these unless the loop is eager: while it has room the source is read,
 * which may be a pipe that stays silent, and what gpg has ready would wait. */
#define PIPE_BYTES (1024 * 1024)

static gpgme_error_t
on_add(void *handle, int fd, int dir, gpgme_io_cb_t call, void *data,
    void **ret_tag)
{
	struct openpgp_loop *loop = handle;

	for (size_t i = 0; i < OPENPGP_WATCHES_MAX; i++) {
		struct openpgp_watch *watch = &loop->watches[i];

		if (watch->call != NULL)
			continue;
		watch->fd = fd;
		watch->events = dir != 0 ? POLLIN : POLLOUT;
		watch->call = call;
		watch->data = data;
		*ret_tag = watch;
		if (dir != 0 || loop->eager)
			(void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
		return 0;
	}
	return gpgme_error(GPG_ERR_RESOURCE_LIMIT);
}

static void
on_remove(void *tag)
{
	struct openpgp_watch *watch = tag;

	/* The place may be taken again, for something else. */
	watch->call = NULL;
	watch->is_output = false;
}

static void
on_event(void *handle, gpgme_event_io_t type, void *data)
{
	struct openpgp_loop *loop = handle;
	const struct gpgme_io_event_done_data *done = data;

	if (type == GPGME_EVENT_START) {
		loop->running = true;
	} else if (type == GPGME_EVENT_DONE) {
		loop->running = false;
		loop->verdict = done->err != 0 ? done->err : done->op_err;
	} else if (type == GPGME_EVENT_NEXT_KEY) {
		/* It comes with a reference of ours. */
		if (loop->on_key != NULL)
			loop->on_key(loop->handle, data);
		gpgme_key_unref(data);
	}
}

void
openpgp_loop_attach(struct openpgp_loop *loop, gpgme_ctx_t context)
{
	struct gpgme_io_cbs calls = {on_add, loop, on_remove, on_event, loop};

	gpgme_set_io_cbs(context, &calls);
}

void
openpgp_loop_is_output(struct openpgp_loop *loop)
{
	if (loop->serving != NULL)
		loop->serving->is_output = true;
}

/* gpg's input is the one descriptor that is written to. */
static void
serve(struct openpgp_loop *loop, struct openpgp_watch *watch)
{
	if (watch->events == POLLOUT && loop->on_hungry != NULL &&
	    loop->on_hungry(loop->handle, watch->fd))
		return;
	if (watch->is_output && loop->on_full != NULL &&
	    loop->on_full(loop->handle, watch->fd))
		return;
	loop->serving = watch;
	(void)watch->call(watch->data, watch->fd);
	loop->serving = NULL;
}

int
openpgp_loop_step(struct openpgp_loop *loop, struct error *err)
{
	struct pollfd fds[OPENPGP_WATCHES_MAX + 1];
	int ready;

	for (size_t i = 0; i < OPENPGP_WATCHES_MAX; i++) {
		const struct openpgp_watch *watch = &loop->watches[i];

		fds[i] = (struct pollfd){
		    .fd = watch->call != NULL ? watch->fd : -1,
		    .events = watch->events,
		};
	}
	fds[OPENPGP_WATCHES_MAX] =
	    (struct pollfd){.fd = interrupt_fd(), .events = POLLIN};

	ready = poll(fds, OPENPGP_WATCHES_MAX + 1, loop->patience_ms);
	if (interrupt_check(err) < 0)
		return -1;
	if (ready < 0)
		return errno == EINTR ? 0 : error_set_errno(err, errno, "poll");
	if (ready == 0)
		return error_set(err, ERROR_KEY, _("gpg does not answer"));

	for (size_t i = 0; i < OPENPGP_WATCHES_MAX; i++) {
		struct openpgp_watch *watch = &loop->watches[i];

		/* The calls before may have freed this place. */
		if (fds[i].revents != 0 && watch->call != NULL)
			serve(loop, watch);
	}
	return 0;
}
