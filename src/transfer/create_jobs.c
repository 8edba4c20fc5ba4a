#include "transfer/create_jobs.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "transfer/create_choice.h"
#include "transfer/create_many.h"
#include "transfer/create_piece.h"
#include "transfer/job.h"
#include "transfer/spool_plan.h"
#include "transfer/watch.h"

/* While one waits for our disk, the daemon may do the next: so many processes
 * for each job. */
#define ENDING_MAX 2

/* All of them. */
struct run {
	const struct create_jobs_request *request;
	const struct watch *watch;
	struct pieces pieces; /* the volumes stand before the instances */
	size_t volume_count;
	size_t running;
	struct spool_plan plan;
	bool interrupted;
};

/* What runs just now may take of the daemon's spool. */
static uint64_t
taken(const struct run *run)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < run->pieces.count; i++) {
		if (run->pieces.items[i].job != NULL)
			bytes += run->pieces.items[i].need_bytes;
	}
	return bytes;
}

/* The manifest of an instance names the archives of its volumes. */
static bool
waits_for_volumes(const struct run *run, const struct piece *piece)
{
	if (piece->volume != NULL)
		return false;
	for (size_t i = 0; i < run->volume_count; i++) {
		if (!run->pieces.items[i].done)
			return true;
	}
	return false;
}

static bool
may_begin(const struct run *run, const struct piece *piece)
{
	size_t exporting = 0;

	if (piece->done || piece->job != NULL || waits_for_volumes(run, piece))
		return false;
	if (run->running == 0)
		return true;
	if (run->running >= ENDING_MAX * run->request->jobs || piece->alone)
		return false;
	for (size_t i = 0; i < run->pieces.count; i++) {
		const struct piece *other = &run->pieces.items[i];

		if (other->job != NULL && other->alone)
			return false;
		exporting += other->job != NULL && !other->received;
	}
	if (exporting == run->request->jobs)
		return false;
	return !run->plan.limited ||
	       taken(run) + piece->need_bytes <= run->plan.room_bytes;
}

/* Those whose turn it is. One that the spool cannot hold has failed. */
static int
begin_some(struct run *run, struct error *err)
{
	for (size_t i = 0; i < run->pieces.count; i++) {
		struct piece *piece = &run->pieces.items[i];
		struct error failure = {0};

		if (run->interrupted || interrupt_seen())
			return 0;
		if (!may_begin(run, piece))
			continue;
		if (spool_plan_check(&run->plan, piece->need_bytes, &failure) <
		    0) {
			piece->begun_ms = clock_now_ms();
			piece_settle(piece, &failure);
			continue;
		}
		if (piece_begin(piece, err) < 0)
			return -1;
		run->running++;
	}
	return 0;
}

/* Without room beside others it gets another try, with all of it. A spool that
 * is full may also cut an export that the daemon calls whole (6.0.4). */
static bool
is_put_off(
    const struct run *run, struct piece *piece, const struct error *failure)
{
	if ((failure->code != ERROR_NO_SPACE &&
		failure->code != ERROR_DAMAGED) ||
	    piece->alone || !run->plan.limited || run->request->jobs == 1)
		return false;
	piece->alone = true;
	watch_detail(run->watch, _("'%s/%s' will be tried again alone: %s"),
	    piece->of.project, piece->text, failure->text);
	return true;
}

static void
hear(const struct run *run, struct piece *piece)
{
	struct error failure = {0};

	if (piece_hear(piece, &failure) && !is_put_off(run, piece, &failure))
		piece_settle(piece, &failure);
}

/* Once: a second signal would end them before they have tidied up. */
static void
pass_on_interruption(struct run *run)
{
	struct error why = {0};

	if (run->interrupted || !interrupt_seen())
		return;
	run->interrupted = true;
	(void)interrupt_check(&why);
	for (size_t i = 0; i < run->pieces.count; i++) {
		if (run->pieces.items[i].job != NULL)
			job_signal(run->pieces.items[i].job,
			    why.code == ERROR_INTERRUPTED ? SIGINT : SIGTERM);
	}
	/* From here on they are waited for. */
	interrupt_shield_up();
}

/* Until one of them has something to tell. */
static void
wait_for_tidings(const struct run *run, struct pollfd *fds)
{
	size_t count = 0;

	for (size_t i = 0; i < run->pieces.count; i++) {
		if (run->pieces.items[i].job != NULL)
			fds[count++] = (struct pollfd){
			    .fd = job_fd(run->pieces.items[i].job),
			    .events = POLLIN};
	}
	fds[count++] = (struct pollfd){.fd = interrupt_fd(), .events = POLLIN};
	(void)poll(fds, (nfds_t)count, -1);
}

static bool
is_all_done(const struct run *run)
{
	for (size_t i = 0; i < run->pieces.count; i++) {
		if (!run->pieces.items[i].done)
			return false;
	}
	return true;
}

static int
run_all(struct run *run, struct pollfd *fds, struct error *err)
{
	while (!is_all_done(run)) {
		size_t running = 0;

		if (begin_some(run, err) < 0)
			return -1;
		pass_on_interruption(run);
		if (run->running == 0 && run->interrupted)
			break;
		if (run->running == 0)
			continue;
		wait_for_tidings(run, fds);
		pass_on_interruption(run);
		for (size_t i = 0; i < run->pieces.count; i++) {
			if (run->pieces.items[i].job != NULL)
				hear(run, &run->pieces.items[i]);
			running += run->pieces.items[i].job != NULL;
		}
		run->running = running;
	}
	return 0;
}

/* What each needs of the daemon's spool; of one that nothing is known of, its
 * share. */
static int
plan_spool(struct run *run, struct error *err)
{
	const struct create_jobs_request *request = run->request;

	if (spool_plan_make(request->client, &run->plan, err) < 0)
		return -1;
	for (size_t i = 0; run->plan.limited && i < run->pieces.count; i++) {
		struct piece *piece = &run->pieces.items[i];
		auto_free char *directory = text_format(err, "%s/%s",
		    request->many->each.output, piece->of.project);

		if (directory == NULL)
			return -1;
		piece->need_bytes =
		    spool_plan_need(request->client, directory, &piece->of);
		if (piece->need_bytes == 0)
			piece->need_bytes =
			    run->plan.room_bytes / request->jobs;
	}
	return 0;
}

static int
add_pieces(struct run *run, json_t *backups, struct error *err)
{
	const struct create_choice *choice = run->request->choice;

	for (size_t i = 0; i < run->pieces.count; i++) {
		struct piece *piece = &run->pieces.items[i];
		bool volume = i < run->volume_count;

		piece->request = run->request;
		piece->watch = run->watch;
		piece->all = &run->pieces;
		if (piece_fill(piece,
			volume ? NULL
			       : &choice->instances[i - run->volume_count],
			volume ? json_array_get(run->request->volumes, i)
			       : NULL,
			backups, err) < 0)
			return -1;
	}
	return 0;
}

/* Those whose turn never came. */
static void
settle_rest(struct run *run)
{
	struct error why = {0};

	(void)interrupt_check(&why);
	for (size_t i = 0; i < run->pieces.count; i++) {
		struct piece *piece = &run->pieces.items[i];

		if (piece->done)
			continue;
		piece->begun_ms = clock_now_ms();
		piece_settle(piece, &why);
	}
}

static char *
what_is_done(const struct run *run, struct error *err)
{
	return run->volume_count == 0
		   ? text_format(err, _("%zu instances"), run->pieces.count)
		   : text_format(err, _("%zu volumes, %zu instances"),
			 run->volume_count,
			 run->pieces.count - run->volume_count);
}

static int
run_pieces(struct run *run, json_t *backups, struct error *err)
{
	auto_free struct pollfd *fds =
	    calloc(ENDING_MAX * run->request->jobs + 1, sizeof(struct pollfd));
	auto_free char *what = what_is_done(run, err);
	int result = -1;

	if (fds == NULL || what == NULL || run->pieces.items == NULL)
		return error_is_set(err) ? -1 : error_set_memory(err);
	if (add_pieces(run, backups, err) == 0) {
		watch_start(run->watch, what, 0);
		result = plan_spool(run, err);
		if (result == 0)
			result = run_all(run, fds, err);
		watch_stop(run->watch);
	}
	return result;
}

int
create_jobs_run(const struct create_jobs_request *request,
    const struct watch *watch, json_t *backups, struct error *err)
{
	size_t volume_count = json_array_size(request->volumes);
	size_t count = volume_count + request->choice->count;
	struct run run = {
	    .request = request,
	    .watch = watch,
	    .pieces = {count, calloc(count, sizeof(struct piece))},
	    .volume_count = volume_count,
	};
	int result = run_pieces(&run, backups, err);

	if (run.interrupted) {
		interrupt_shield_down();
		settle_rest(&run);
	}
	for (size_t i = 0; run.pieces.items != NULL && i < count; i++)
		piece_clear(&run.pieces.items[i]);
	free(run.pieces.items);
	return result;
}
