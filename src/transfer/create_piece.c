#include "transfer/create_piece.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "incus/instance.h"
#include "store/archive.h"
#include "transfer/attached_volumes.h"
#include "transfer/create_jobs.h"
#include "transfer/create_many.h"
#include "transfer/job.h"
#include "transfer/watch.h"

int
piece_fill(struct piece *piece, const struct instance_ref *instance,
    json_t *volume, json_t *backups, struct error *err)
{
	piece->instance = instance;
	piece->volume = volume;
	piece->of = volume != NULL ? attached_volume_subject(volume)
				   : backup_subject_of(instance);
	piece->text = backup_subject_text(&piece->of, err);
	if (piece->text == NULL)
		return -1;
	piece->result = json_pack("{s:s, s:s}", "project", piece->of.project,
	    volume != NULL ? "volume" : "instance", piece->text);
	if (json_array_append_new(backups, piece->result) < 0)
		return error_set_memory(err);
	return 0;
}

/* In the child ------------------------------------------------------------ */

static int
tell_made(const struct create_result *made, json_t *result)
{
	static const char *const kept[] = {
	    "archive", "size_bytes", "tar_size_bytes", "sha256"};

	(void)json_object_set_new(
	    result, "path", json_string_escaped(made->path));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		(void)json_object_set(
		    result, kept[i], json_object_get(made->manifest, kept[i]));
	return 0;
}

static int
work(const void *data, const struct watch *watch, json_t *result,
    struct error *err)
{
	const struct piece *piece = data;
	const struct create_jobs_request *request = piece->request;
	const struct create_known known = {
	    .client = request->client,
	    .keys = request->keys,
	    .projects = request->projects,
	    .volumes = request->volumes,
	};
	struct create_request one = request->many->each;
	struct create_result made = {0};
	auto_free char *output =
	    text_format(err, "%s/%s", one.output, piece->of.project);

	if (output == NULL || archive_check_same_directory(
				  one.output, &request->directory, err) < 0)
		return -1;
	one.found = piece->instance;
	one.volume = piece->volume != NULL ? &piece->of : NULL;
	one.known = &known;
	one.output = output;
	one.make_output = true;
	one.bytes_per_s /= request->jobs;
	if (create_backup(&one, watch, &made, err) == 0)
		(void)tell_made(&made, result);
	create_result_clear(&made);
	return error_is_set(err) ? -1 : 0;
}

/* What it tells ----------------------------------------------------------- */

/* The sum of what moves just now. */
static void
on_advance(void *data, uint64_t bytes)
{
	struct piece *piece = data;
	uint64_t all = 0;

	piece->bytes = bytes;
	for (size_t i = 0; i < piece->all->count; i++)
		all += piece->all->items[i].bytes;
	watch_advance(piece->watch, all);
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

	watch_note(
	    piece->watch, "%s/%s: %s", piece->of.project, piece->text, text);
}

static void
on_detail(void *data, const char *text)
{
	const struct piece *piece = data;

	watch_detail(
	    piece->watch, "%s/%s: %s", piece->of.project, piece->text, text);
}

/* In the parent ----------------------------------------------------------- */

int
piece_begin(struct piece *piece, struct error *err)
{
	const struct job_work job = {
	    .run = work,
	    .data = piece,
	    .details = watch_wants_details(piece->watch),
	};

	piece->begun_ms = clock_now_ms();
	piece->received = false;
	piece->job = job_start(&job, err);
	return piece->job != NULL ? 0 : -1;
}

bool
piece_hear(struct piece *piece, struct error *ret_failure)
{
	const struct watch watch = {
	    .data = piece,
	    .advance = on_advance,
	    .received = on_received,
	    .note = on_note,
	    .detail = watch_wants_details(piece->watch) ? on_detail : NULL,
	};
	auto_json json_t *told = NULL;

	if (job_hear(piece->job, &watch, &told, ret_failure) > 0)
		return false;
	job_free(steal(piece->job));
	piece->bytes = 0;
	(void)json_object_update(piece->result, told);
	return true;
}

/* For the manifests of those that have it attached. */
static void
write_down(const struct piece *piece)
{
	(void)json_object_set(piece->volume, "archive",
	    json_object_get(piece->result, "archive"));
	(void)json_object_set(
	    piece->volume, "sha256", json_object_get(piece->result, "sha256"));
}

void
piece_settle(struct piece *piece, const struct error *failure)
{
	const struct create_many_request *many = piece->request->many;

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
	} else if (piece->volume != NULL) {
		write_down(piece);
	}
	(void)json_object_del(piece->result, "archive");
	piece->done = true;
	if (many->done != NULL)
		many->done(many->data, piece->result);
}

void
piece_clear(struct piece *piece)
{
	job_free(steal(piece->job));
	free(piece->text);
}
