#include "transfer/create_jobs.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "store/archive.h"
#include "transfer/create_many.h"
#include "transfer/job.h"
#include "transfer/spool_plan.h"
#include "transfer/watch.h"

/* While one waits for our disk, the daemon may do the next: so many processes
 * for each job. */
#define ENDING_MAX 2

/* One instance. */
struct piece {
	const struct run *run;
	const struct instance_ref *instance;
	json_t *result; /* borrowed from the run's */
	struct job *job;
	bool done;
	bool received;	     /* the daemon has given all of it */
	bool alone;	     /* for want of room: no other runs beside it */
	uint64_t need_bytes; /* of the daemon's spool */
	int64_t begun_ms;
	uint64_t bytes; /* of its tar, so far */
};

/* All of them. */
struct run {
	const struct create_jobs_request *request;
	const struct watch *watch;
	struct piece *pieces;
	size_t count;
	size_t running;
	struct spool_plan plan;
	bool interrupted;
};

/* In the child ------------------------------------------------------------ */

static int
work(const void *data, const struct watch *watch, json_t *result,
    struct error *err)
{
	const struct piece *piece = data;
	const struct create_jobs_request *request = piece->run->request;
	struct create_request one = request->many->each;
	struct create_result made = {0};
	auto_free char *output =
	    text_format(err, "%s/%s", one.output, piece->instance->project);

	if (output == NULL || archive_check_same_directory(
				  one.output, &request->directory, err) < 0)
		return -1;
	one.found = piece->instance;
	one.keys = request->keys;
	one.output = output;
	one.make_output = true;
	one.bytes_per_s /= request->jobs;
	if (create_backup(&one, watch, &made, err) == 0) {
		(void)json_object_set_new(
		    result, "path", json_string_escaped(made.path));
		(void)json_object_set(result, "size_bytes",
		    json_object_get(made.manifest, "size_bytes"));
		(void)json_object_set(result, "tar_size_bytes",
		    json_object_get(made.manifest, "tar_size_bytes"));
		(void)json_object_set(
		    result, "sha256", json_object_get(made.manifest, "sha256"));
	}
	create_result_clear(&made);
	return error_is_set(err) ? -1 : 0;
}

/* What it tells --------------------------------------------------------- */

/* The sum of what moves just now. */
static void
on_advance(void *data, uint64_t bytes)
{
	struct piece *piece = data;
	uint64_t all = 0;

	piece->bytes = bytes;
	for (size_t i = 0; i < piece->run->count; i++)
		all += piece->run->pieces[i].bytes;
	watch_advance(piece->run->watch, all);
}

static void
on_received(void *data)
{
	((struct piece *)data)->received = true;
}

static void
on_note(void *data, const char *text)
{
	const struct piece *piece = data;

	watch_note(piece->run->watch, "%s/%s: %s", piece->instance->project,
	    piece->instance->name, text);
}

static void
on_detail(void *data, const char *text)
{
	const struct piece *piece = data;

	watch_detail(piece->run->watch, "%s/%s: %s", piece->instance->project,
	    piece->instance->name, text);
}

/* In the parent ----------------------------------------------------------- */

static void
settle(struct piece *piece, const struct error *failure)
{
	const struct create_many_request *many = piece->run->request->many;

	(void)json_object_set_new(
	    piece->result, "status", json_integer((json_int_t)failure->code));
	(void)json_object_set_new(piece->result, "duration_ms",
	    json_integer(clock_now_ms() - piece->begun_ms));
	if (error_is_set(failure)) {
		(void)json_object_set_new(
		    piece->result, "error", json_string(failure->text));
		if (failure->hint[0] != '\0')
			(void)json_object_set_new(
			    piece->result, "hint", json_string(failure->hint));
	}
	piece->done = true;
	if (many->done != NULL)
		many->done(many->data, piece->result);
}

static int
begin(struct piece *piece, struct run *run, struct error *err)
{
	const struct job_work job = {
	    .run = work,
	    .data = piece,
	    .details = watch_wants_details(run->watch),
	};

	piece->begun_ms = clock_now_ms();
	piece->received = false;
	piece->job = job_start(&job, err);
	if (piece->job == NULL)
		return -1;
	run->running++;
	return 0;
}

/* What runs just now may take of the daemon's spool. */
static uint64_t
taken(const struct run *run)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < run->count; i++) {
		if (run->pieces[i].job != NULL)
			bytes += run->pieces[i].need_bytes;
	}
	return bytes;
}

static bool
may_begin(const struct run *run, const struct piece *piece)
{
	size_t exporting = 0;

	if (piece->done || piece->job != NULL)
		return false;
	if (run->running == 0)
		return true;
	if (run->running >= ENDING_MAX * run->request->jobs || piece->alone)
		return false;
	for (size_t i = 0; i < run->count; i++) {
		const struct piece *other = &run->pieces[i];

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
	for (size_t i = 0; i < run->count; i++) {
		struct piece *piece = &run->pieces[i];
		struct error failure = {0};

		if (run->interrupted || interrupt_seen())
			return 0;
		if (!may_begin(run, piece))
			continue;
		if (spool_plan_check(&run->plan, piece->need_bytes, &failure) <
		    0)
			settle(piece, &failure);
		else if (begin(piece, run, err) < 0)
			return -1;
	}
	return 0;
}

/* Without room beside others it gets another try, with all of it. */
static bool
is_put_off(struct piece *piece, const struct error *failure)
{
	const struct run *run = piece->run;

	if (failure->code != ERROR_NO_SPACE || piece->alone ||
	    !run->plan.limited || run->request->jobs == 1)
		return false;
	piece->alone = true;
	watch_detail(run->watch, _("'%s/%s' will be tried again alone: %s"),
	    piece->instance->project, piece->instance->name, failure->text);
	return true;
}

static void
hear(struct piece *piece)
{
	const struct watch watch = {
	    .data = piece,
	    .advance = on_advance,
	    .received = on_received,
	    .note = on_note,
	    .detail = watch_wants_details(piece->run->watch) ? on_detail : NULL,
	};
	auto_json json_t *told = NULL;
	struct error failure = {0};

	if (job_hear(piece->job, &watch, &told, &failure) > 0)
		return;
	job_free(steal(piece->job));
	piece->bytes = 0;
	if (is_put_off(piece, &failure))
		return;
	(void)json_object_update(piece->result, told);
	settle(piece, &failure);
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
	for (size_t i = 0; i < run->count; i++) {
		if (run->pieces[i].job != NULL)
			job_signal(run->pieces[i].job,
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

	for (size_t i = 0; i < run->count; i++) {
		if (run->pieces[i].job != NULL)
			fds[count++] = (struct pollfd){
			    .fd = job_fd(run->pieces[i].job), .events = POLLIN};
	}
	fds[count++] = (struct pollfd){.fd = interrupt_fd(), .events = POLLIN};
	(void)poll(fds, (nfds_t)count, -1);
}

static bool
is_all_done(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		if (!run->pieces[i].done)
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
		for (size_t i = 0; i < run->count; i++) {
			if (run->pieces[i].job != NULL)
				hear(&run->pieces[i]);
			running += run->pieces[i].job != NULL;
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
	for (size_t i = 0; run->plan.limited && i < run->count; i++) {
		struct piece *piece = &run->pieces[i];
		auto_free char *directory = text_format(err, "%s/%s",
		    request->many->each.output, piece->instance->project);

		if (directory == NULL)
			return -1;
		piece->need_bytes = spool_plan_need(
		    request->client, directory, piece->instance);
		if (piece->need_bytes == 0)
			piece->need_bytes =
			    run->plan.room_bytes / request->jobs;
	}
	return 0;
}

static int
add_pieces(struct run *run, json_t *backups)
{
	for (size_t i = 0; i < run->count; i++) {
		struct piece *piece = &run->pieces[i];

		piece->run = run;
		piece->instance = &run->request->choice->instances[i];
		piece->result =
		    json_pack("{s:s, s:s}", "project", piece->instance->project,
			"instance", piece->instance->name);
		if (json_array_append_new(backups, piece->result) < 0)
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
	for (size_t i = 0; i < run->count; i++) {
		if (run->pieces[i].done)
			continue;
		run->pieces[i].begun_ms = clock_now_ms();
		settle(&run->pieces[i], &why);
	}
}

int
create_jobs_run(const struct create_jobs_request *request,
    const struct watch *watch, json_t *backups, struct error *err)
{
	struct run run = {
	    .request = request,
	    .watch = watch,
	    .count = request->choice->count,
	};
	auto_free struct pollfd *fds =
	    calloc(ENDING_MAX * request->jobs + 1, sizeof(struct pollfd));
	auto_free char *what = text_format(err, _("%zu instances"), run.count);
	int result = -1;

	run.pieces = calloc(run.count, sizeof(*run.pieces));
	if (fds == NULL || what == NULL || run.pieces == NULL ||
	    add_pieces(&run, backups) < 0) {
		free(run.pieces);
		return error_is_set(err) ? -1 : error_set_memory(err);
	}
	watch_start(watch, what, 0);
	result = plan_spool(&run, err);
	if (result == 0)
		result = run_all(&run, fds, err);
	watch_stop(watch);
	for (size_t i = 0; i < run.count; i++)
		job_free(run.pieces[i].job);
	if (run.interrupted) {
		interrupt_shield_down();
		settle_rest(&run);
	}
	free(run.pieces);
	return result;
}
