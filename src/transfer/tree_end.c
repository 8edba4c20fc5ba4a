#include "transfer/tree_end.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/text.h"
#include "incus/sftp_list.h"
#include "incus/sftp_load.h"
#include "incus/sftp_make.h"
#include "incus/sftp_path.h"
#include "incus/sftp_reader.h"
#include "incus/sftp_session.h"
#include "incus/sftp_store.h"
#include "incus/sftp_writer.h"
#include "store/local_tree.h"
#include "stream/backup_members.h"
#include "stream/stream.h"

int
tree_end_open_session(
    struct tree_end *end, struct sftp_session *session, struct error *err)
{
	end->session = session;
	end->label = text_format(err, "%s", sftp_session_name(session));
	return end->label != NULL ? 0 : -1;
}

int
tree_end_open_local(struct tree_end *end, const char *path, struct error *err)
{
	end->local = local_tree_open(path, err);
	end->label = text_format(
	    err, "%s%s", path, text_ends_with(path, "/") ? "" : "/");
	return end->local != NULL && end->label != NULL ? 0 : -1;
}

void
tree_end_clear(struct tree_end *end)
{
	local_tree_free(end->local);
	free(end->label);
	*end = (struct tree_end){0};
}

bool
tree_end_broken(const struct tree_end *end)
{
	return end->session != NULL && sftp_session_broken(end->session);
}

int
tree_end_list(struct tree_end *end, struct batch_directory *directories,
    size_t count, tree_taker *take, void *data, struct error *err)
{
	struct list_taker taker = {data, take};
	struct local_taker local = {data, take};

	if (end->session != NULL)
		return sftp_list(end->session, directories, count, &taker, err);
	return local_tree_list(end->local, directories, count, &local, err);
}

int
tree_end_load(struct tree_end *end, struct file_batch *batch,
    struct tree_task *ret_task, struct error *err)
{
	*ret_task = (struct tree_task){
	    .end = end, .batch = batch, .done = end->members != NULL};
	if (end->session == NULL)
		return 0;
	ret_task->load = sftp_load_begin(end->session, batch, err);
	return ret_task->load != NULL ? 0 : -1;
}

int
tree_end_store(struct tree_end *end, struct file_batch *batch,
    struct tree_task *ret_task, struct error *err)
{
	*ret_task =
	    (struct tree_task){.end = end, .batch = batch, .storing = true};
	if (end->session == NULL)
		return 0;
	ret_task->store = sftp_store_begin(end->session, batch, err);
	return ret_task->store != NULL ? 0 : -1;
}

/* Our own disk does it all at once. */
static int
go_on_here(struct tree_task *task, struct error *err)
{
	struct local_tree *tree = task->end->local;

	return task->storing ? local_tree_store(tree, task->batch, err)
			     : local_tree_load(tree, task->batch, err);
}

int
tree_task_go_on(struct tree_task *task, struct error *err)
{
	int more;

	if (task->done)
		return 0;
	if (task->store != NULL)
		more = sftp_store_go_on(task->store, err);
	else if (task->load != NULL)
		more = sftp_load_go_on(task->load, err);
	else
		more = go_on_here(task, err);
	task->done = more == 0;
	return more < 0 ? -1 : 0;
}

void
tree_task_clear(struct tree_task *task)
{
	sftp_load_free(task->load);
	sftp_store_free(task->store);
	*task = (struct tree_task){.done = true};
}

static int
take_content(struct tree_end *end, struct batch_file *file, struct error *err)
{
	size_t size = (size_t)file->facts.size_bytes;
	auto_stream struct stream *body =
	    backup_members_content(end->members, err);
	ssize_t got;

	if (body == NULL || batch_file_reserve(file, size) < 0)
		return body == NULL ? -1 : 0;
	got = stream_read_full(body, file->content, size, err);
	return got == (ssize_t)size ? 0 : -1;
}

int
tree_end_take(struct tree_end *end, struct batch_file *file, struct error *err)
{
	if (end->members == NULL)
		return 0;
	if (S_ISREG(file->facts.mode))
		return take_content(end, file, err);
	if (batch_file_reserve(file, strlen(end->member->link)) == 0)
		memcpy(file->content, end->member->link,
		    strlen(end->member->link) + 1);
	return 0;
}

struct stream *
tree_end_read(struct tree_end *end, struct batch_file *file, struct error *err)
{
	if (end->members != NULL)
		return backup_members_content(end->members, err);
	if (end->session != NULL)
		return sftp_file_open(
		    end->session, file->from, &end->opened, &file->grew, err);
	return local_tree_read(end->local, file, err);
}

int
tree_end_look(struct tree_end *end, struct file_batch *batch, struct error *err)
{
	return end->session != NULL ? sftp_store_look(end->session, batch, err)
				    : local_tree_look(end->local, batch, err);
}

int
tree_end_make(struct tree_end *end, struct batch_directory *directories,
    size_t count, struct error *err)
{
	if (end->session != NULL)
		return sftp_make(end->session, directories, count, err);
	return local_tree_make(end->local, directories, count, err);
}

int
tree_end_finish(struct tree_end *end, struct batch_directory *directories,
    size_t count, struct error *err)
{
	if (end->session != NULL)
		return sftp_make_times(end->session, directories, count, err);
	return local_tree_finish(end->local, directories, count, err);
}

/* Of a file that stays, only what is to change: setuid is lost by writing. */
static uint32_t
attributes_to_set(const struct batch_file *file)
{
	const struct file_facts *there = &file->there;
	uint32_t flags = SFTP_HAS_OWNER | SFTP_HAS_MODE | SFTP_HAS_TIMES;

	if (file->in_place && file->uid == there->uid &&
	    file->gid == there->gid)
		flags &= ~SFTP_HAS_OWNER;
	if (file->in_place && file->mode == (there->mode & 07777U) &&
	    (file->mode & 06000U) == 0)
		flags &= ~SFTP_HAS_MODE;
	return flags;
}

int
tree_end_write(struct tree_end *end, struct batch_file *file,
    struct stream *body, const struct digest *sent, struct error *err)
{
	struct sftp_put_request put = {
	    .path = file->to,
	    .exclusive = file->exclusive,
	    .in_place = file->in_place,
	    .sent = sent,
	    .attributes =
		{
		    .flags = attributes_to_set(file),
		    .uid = (uint32_t)file->uid,
		    .gid = (uint32_t)file->gid,
		    .mode = file->mode,
		    .atime_s = (uint32_t)file->facts.atime_s,
		    .mtime_s = (uint32_t)file->facts.mtime_s,
		},
	};
	uint64_t written;

	if (end->session != NULL)
		return sftp_file_put(end->session, &put, body, &written, err);
	return local_tree_write(end->local, file, body, sent, err);
}

int
tree_end_link(
    struct tree_end *end, const char *file, const char *to, struct error *err)
{
	return end->session != NULL
		   ? sftp_link(end->session, file, to, err)
		   : local_tree_link(end->local, file, to, err);
}

int
tree_end_sync(struct tree_end *end, struct error *err)
{
	return end->local != NULL ? local_tree_sync(end->local, err) : 0;
}
