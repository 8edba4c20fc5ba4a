#include "transfer/tree_batch.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "stream/digest.h"
#include "stream/file_batch.h"
#include "stream/meter.h"
#include "stream/stream.h"
#include "transfer/copy.h"
#include "transfer/tree.h"
#include "transfer/tree_end.h"
#include "transfer/watch.h"

/* What a link takes in a batch, whatever its listing says (PATH_MAX). */
#define LINK_BYTES 4096

/* Files that go together, and what is to be left behind them. */
struct round {
	struct file_batch *files;
	struct batch_directory leaving[DIRECTORY_BATCH_MAX];
	size_t leaving_count;
};

struct tree_batch {
	const struct tree_request *request;
	struct copy_result *result;
	struct round rounds[2];
	struct round *filling; /* one of them */
	struct round *loaded;  /* the other: stored while the next is loaded */
	struct file_batch *single; /* for one that is large */
};

struct tree_batch *
tree_batch_new(const struct tree_request *request, struct copy_result *result,
    struct error *err)
{
	struct tree_batch *batch = calloc(1, sizeof(*batch));

	if (batch == NULL) {
		error_set_memory(err);
		return NULL;
	}
	batch->request = request;
	batch->result = result;
	batch->filling = &batch->rounds[0];
	batch->loaded = &batch->rounds[1];
	batch->single = file_batch_new(err);
	for (size_t i = 0; i < 2 && batch->single != NULL; i++) {
		batch->rounds[i].files = file_batch_new(err);
		if (batch->rounds[i].files == NULL) {
			tree_batch_free(batch);
			return NULL;
		}
	}
	if (batch->single == NULL) {
		tree_batch_free(batch);
		return NULL;
	}
	return batch;
}

static void
clear_leaving(struct round *round)
{
	for (size_t i = 0; i < round->leaving_count; i++)
		batch_directory_clear(&round->leaving[i]);
	round->leaving_count = 0;
}

void
tree_batch_free(struct tree_batch *batch)
{
	if (batch == NULL)
		return;
	for (size_t i = 0; i < 2; i++) {
		clear_leaving(&batch->rounds[i]);
		file_batch_free(batch->rounds[i].files);
	}
	file_batch_free(batch->single);
	free(batch);
}

/* Owner and mode of a file where nothing is yet: design, section 4. */
static void
choose_arrival(const struct tree_request *request, struct batch_file *file)
{
	const struct copy_request *copy = request->copy;
	uint32_t bits = copy->keep_setuid ? 07777U : 01777U;

	file->mode = file->facts.mode & bits & ~request->umask;
	file->uid = request->keep_owner ? file->facts.uid : request->uid;
	file->gid = request->keep_owner ? file->facts.gid : request->gid;
	file->exclusive = copy->no_clobber;
	file->verify = copy->verify;
}

/* What the command line asks for, whatever is there. */
static void
choose_asked(const struct copy_request *copy, struct batch_file *file)
{
	if (copy->uid >= 0)
		file->uid = copy->uid;
	if (copy->gid >= 0)
		file->gid = copy->gid;
	if (copy->mode >= 0)
		file->mode = (uint32_t)copy->mode;
}

static bool
is_up_to_date(const struct batch_file *file)
{
	return S_ISREG(file->facts.mode) && S_ISREG(file->there.mode) &&
	       file->facts.size_bytes == file->there.size_bytes &&
	       file->facts.mtime_s == file->there.mtime_s;
}

/* Something lies at the target. */
static void
judge_there(struct tree_batch *batch, struct batch_file *file)
{
	const struct copy_request *copy = batch->request->copy;
	bool can_go = S_ISREG(file->there.mode) ||
		      (S_ISLNK(file->facts.mode) && S_ISLNK(file->there.mode));

	file->skip = copy->no_clobber || (copy->update && is_up_to_date(file));
	if (file->skip) {
		batch->result->kept++;
		return;
	}
	if (!can_go) {
		error_set(&file->failure, ERROR_EXISTS,
		    _("'%s%s' exists and is not a regular file"),
		    batch->request->target->label, file->to);
		return;
	}
	if (!S_ISREG(file->facts.mode))
		return;
	file->in_place = copy->in_place;
	file->mode = file->there.mode & 07777U;
	file->uid = file->there.uid;
	file->gid = file->there.gid;
}

/* See what is there where that is not known, and decide. */
static int
look_at_targets(
    struct tree_batch *batch, struct file_batch *files, struct error *err)
{
	if (tree_end_look(batch->request->target, files, err) < 0)
		return -1;
	for (size_t i = 0; i < files->count; i++) {
		struct batch_file *file = &files->files[i];

		if (batch_file_is_wanted(file) && file->there.mode != 0)
			judge_there(batch, file);
		choose_asked(batch->request->copy, file);
	}
	return 0;
}

/* What has become of a file. */
static void
count_file(struct tree_batch *batch, const struct batch_file *file)
{
	const struct watch *watch = batch->request->watch;

	if (file->skip)
		return;
	if (error_is_set(&file->failure)) {
		tree_note_failure(
		    batch->request, &file->failure, batch->result);
		return;
	}
	batch->result->copied++;
	batch->result->size_bytes += file->size_bytes;
	if (file->grew)
		watch_note(watch,
		    _("'%s' grew while it was read: it was copied to the size "
		      "it had at the start"),
		    file->from);
}

static void
on_advance(void *data, uint64_t bytes)
{
	const struct tree_batch *batch = data;

	watch_advance(batch->request->watch, batch->result->size_bytes + bytes);
}

/* Whether nothing more can be done behind this failure. */
static bool
stops_all(const struct tree_batch *batch, const struct error *failure)
{
	return failure->code == ERROR_INTERRUPTED ||
	       failure->code == ERROR_TERMINATED ||
	       tree_end_broken(batch->request->source) ||
	       tree_end_broken(batch->request->target);
}

/* A file that is worth a stream. */
static int
stream_file(
    struct tree_batch *batch, struct batch_file *file, struct error *err)
{
	const struct tree_request *request = batch->request;
	struct meter_watch meter = {on_advance, batch};
	struct digest sent = {0};
	struct error *failure = &file->failure;
	auto_stream struct stream *body =
	    tree_end_read(request->source, file, failure);

	body = meter_new(steal(body), &meter, failure);
	if (file->verify)
		body = digest_new(steal(body), &sent, failure);
	if (body != NULL && tree_end_write(request->target, file, body,
				file->verify ? &sent : NULL, failure) == 0) {
		file->size_bytes = (size_t)file->facts.size_bytes;
		file->arrived = true;
	}
	if (error_is_set(failure) && stops_all(batch, failure)) {
		*err = *failure;
		return -1;
	}
	return 0;
}

/* A file that stays what it is cannot wait for its name with the others. */
static int
write_in_place(
    struct tree_batch *batch, struct file_batch *files, struct error *err)
{
	for (size_t i = 0; i < files->count; i++) {
		struct batch_file *file = &files->files[i];

		if (file->in_place && batch_file_is_wanted(file) &&
		    stream_file(batch, file, err) < 0)
			return -1;
	}
	return 0;
}

/* Both ends at once. */
static int
work(struct tree_task *load, struct tree_task *store, struct error *err)
{
	while (!load->done || !store->done) {
		if (tree_task_go_on(load, err) < 0 ||
		    tree_task_go_on(store, err) < 0)
			return -1;
	}
	return 0;
}

/* Load what waits, and store what is loaded. */
static int
move_files(struct tree_batch *batch, struct error *err)
{
	const struct tree_request *request = batch->request;
	struct file_batch *next = batch->filling->files;
	struct file_batch *last = batch->loaded->files;
	struct tree_task load = {.done = true};
	struct tree_task store = {.done = true};
	int result = 0;

	if (last->count > 0)
		result = tree_end_store(request->target, last, &store, err);
	if (result == 0 && next->count > 0)
		result = tree_end_load(request->source, next, &load, err);
	if (result == 0)
		result = work(&load, &store, err);
	tree_task_clear(&load);
	tree_task_clear(&store);
	return result;
}

/* What was in the round has arrived, or failed. */
static int
finish_round(struct tree_batch *batch, struct round *round, struct error *err)
{
	const struct watch *watch = batch->request->watch;

	for (size_t i = 0; i < round->files->count; i++)
		count_file(batch, &round->files->files[i]);
	if (round->files->count > 0)
		watch_advance(watch, batch->result->size_bytes);
	file_batch_clear(round->files);

	if (tree_end_finish(batch->request->target, round->leaving,
		round->leaving_count, err) < 0)
		return -1;
	for (size_t i = 0; i < round->leaving_count; i++) {
		const struct error *failure = &round->leaving[i].failure;

		if (error_is_set(failure))
			tree_note_failure(
			    batch->request, failure, batch->result);
	}
	clear_leaving(round);
	return 0;
}

/* What waits becomes what is loaded, and makes room for more. */
static int
move_on(struct tree_batch *batch, struct error *err)
{
	struct round *stored = batch->loaded;
	struct file_batch *next = batch->filling->files;

	if (look_at_targets(batch, next, err) < 0 ||
	    write_in_place(batch, next, err) < 0 ||
	    move_files(batch, err) < 0 || finish_round(batch, stored, err) < 0)
		return -1;
	batch->loaded = batch->filling;
	batch->filling = stored;
	return 0;
}

int
tree_batch_flush(struct tree_batch *batch, struct error *err)
{
	return move_on(batch, err) == 0 ? move_on(batch, err) : -1;
}

int
tree_batch_leave(struct tree_batch *batch, struct batch_directory *directory,
    struct error *err)
{
	struct round *round = batch->filling;

	if (round->leaving_count == DIRECTORY_BATCH_MAX) {
		if (move_on(batch, err) < 0) {
			batch_directory_clear(directory);
			return -1;
		}
		round = batch->filling;
	}
	round->leaving[round->leaving_count++] = *directory;
	return 0;
}

static int
copy_large_file(struct tree_batch *batch, struct error *err)
{
	struct batch_file *file = &batch->single->files[0];
	int result = look_at_targets(batch, batch->single, err);

	if (result == 0 && batch_file_is_wanted(file))
		result = stream_file(batch, file, err);
	if (result == 0)
		count_file(batch, file);
	file_batch_clear(batch->single);
	return result;
}

int
tree_batch_add(struct tree_batch *batch, char *from, char *to,
    const struct file_facts *facts, bool look, struct error *err)
{
	auto_free char *owned_from = from;
	auto_free char *owned_to = to;
	bool large =
	    S_ISREG(facts->mode) && facts->size_bytes > FILE_BATCH_FILE_BYTES;
	uint64_t size = S_ISREG(facts->mode) ? facts->size_bytes : LINK_BYTES;
	struct file_batch *files;
	struct batch_file *file;

	if (!large && !file_batch_has_room(batch->filling->files, size) &&
	    move_on(batch, err) < 0)
		return -1;
	files = large ? batch->single : batch->filling->files;
	file = file_batch_add(
	    files, steal(owned_from), steal(owned_to), large ? 0 : size);
	file->facts = *facts;
	file->look = look;
	choose_arrival(batch->request, file);
	if (!large && tree_end_take(batch->request->source, file, err) < 0) {
		/* Half of it is there. */
		file->skip = true;
		return -1;
	}
	return large ? copy_large_file(batch, err) : 0;
}
