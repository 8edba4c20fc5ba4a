#include "transfer/copy_tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/sftp_directory.h"
#include "incus/sftp_path.h"
#include "incus/sftp_session.h"
#include "incus/sftp_walk.h"
#include "store/local_file.h"
#include "store/local_path.h"
#include "store/local_tree.h"
#include "transfer/copy.h"
#include "transfer/copy_end.h"
#include "transfer/copy_policy.h"
#include "transfer/copy_resume.h"
#include "transfer/tree.h"
#include "transfer/tree_end.h"
#include "transfer/tree_target.h"
#include "transfer/watch.h"

/* One tree, and its ends. */
struct tree_copy {
	const struct copy_tree_job *job;
	struct tree_end source;
	struct tree_target target;
	char *from;
	struct file_facts top; /* the source's */
};

static void
tree_copy_clear(struct tree_copy *self)
{
	tree_end_clear(&self->source);
	tree_target_clear(&self->target);
	free(self->from);
}

int
copy_tree_is_one(struct copy_end *source, struct error *err)
{
	struct sftp_attributes found = {0};
	int there;

	if (source->location.kind == LOCATION_STDIO)
		return 0;
	if (source->location.kind == LOCATION_LOCAL)
		return local_is_directory(source->location.path);
	there = sftp_look(source->session, source->location.path, &found, err);
	return there > 0 ? S_ISDIR(found.mode) : there;
}

char *
copy_tree_name(const struct copy_end *source, struct error *err)
{
	if (source->location.kind == LOCATION_STDIO)
		return text_copy("", 0, err);
	return tree_target_name(source->location.path, err);
}

static int
open_source(struct tree_copy *self, struct error *err)
{
	const struct copy_end *source = self->job->source;
	auto_sftp_place struct sftp_place place = {0};
	struct stat found;

	if (source->location.kind == LOCATION_INSTANCE) {
		if (copy_end_resolve(source, &place, err) < 0)
			return -1;
		if (tree_end_open_session(&self->source, source->session, err) <
		    0)
			return -1;
		self->top = sftp_facts(&place.found);
		self->from = steal(place.path);
		return 0;
	}
	self->from = text_copy(".", 1, err);
	if (self->from == NULL ||
	    tree_end_open_local(&self->source, source->location.path, err) < 0)
		return -1;
	if (stat(source->location.path, &found) < 0)
		return error_set_errno(
		    err, errno, _("cannot open '%s'"), source->location.path);
	self->top = (struct file_facts){
	    .mode = found.st_mode,
	    .uid = found.st_uid,
	    .gid = found.st_gid,
	    .atime_s = found.st_atim.tv_sec,
	    .mtime_s = found.st_mtim.tv_sec,
	};
	return 0;
}

/* A tree must not grow while it is copied into itself. */
static int
check_not_inside(const struct tree_copy *self, struct error *err)
{
	const struct copy_end *source = self->job->source;
	const struct copy_end *destination = self->job->destination;
	size_t length = strlen(self->from);

	assert(self->target.to != NULL);

	if (source->location.kind != LOCATION_INSTANCE ||
	    destination->location.kind != LOCATION_INSTANCE ||
	    strcmp(source->instance.project, destination->instance.project) !=
		0 ||
	    strcmp(source->instance.name, destination->instance.name) != 0)
		return 0;
	if (strcmp(self->from, "/") != 0 &&
	    (strncmp(self->target.to, self->from, length) != 0 ||
		(self->target.to[length] != '/' &&
		    self->target.to[length] != '\0')))
		return 0;
	return error_set(err, ERROR_USAGE,
	    _("'%s' cannot be copied into itself"), source->text);
}

static int
judge_below(void *data, const char *path, struct error *err)
{
	const struct copy_tree_job *job = data;

	return copy_policy_below(
	    job->policy, job->source, job->destination, path, err);
}

/* Owner and mode on arrival: design, section 4. */
static struct tree_request
tree_request(struct tree_copy *self)
{
	bool to_instance = self->target.end.session != NULL;

	return (struct tree_request){
	    .copy = self->job->request,
	    .watch = self->job->watch,
	    .judge =
		copy_policy_in_force(self->job->policy) ? judge_below : NULL,
	    .judge_data = (void *)(uintptr_t)self->job,
	    .source = &self->source,
	    .target = &self->target.end,
	    .from = self->from,
	    .to = self->target.to,
	    .top = self->top,
	    .keep_owner = to_instance && self->source.session != NULL,
	    .uid = to_instance ? (int64_t)self->target.in.uid : -1,
	    .gid = to_instance ? (int64_t)self->target.in.gid : -1,
	    .umask = to_instance ? 0 : local_umask(),
	};
}

/* Of a tree that stopped half-way whole files are there. */
static int
hint_resume(const struct tree_copy *self, struct error *err)
{
	const struct copy_request *request = self->job->request;
	size_t copied = self->job->result->copied;

	if (copied == 0 && err->code != ERROR_INTERRUPTED &&
	    err->code != ERROR_TERMINATED)
		return -1;
	return copy_resume_hint(request, copied,
	    request->source_count == 1 && !self->target.inside, err);
}

/* Where a path on our own disk leads. Heap. */
static char *
resolve_local(const char *label, const char *path, struct error *err)
{
	auto_free char *whole = text_format(err, "%s%s", label, path);

	return whole != NULL ? local_path_resolve(whole, err) : NULL;
}

/* The tops, as the policy means them: absolute, and without links. */
static int
judge_tops(const struct tree_copy *self, struct error *err)
{
	const struct copy_tree_job *job = self->job;
	auto_free char *from = NULL;
	auto_free char *to = NULL;

	assert(self->from != NULL && self->target.to != NULL);

	from = self->source.session != NULL
		   ? text_copy(self->from, strlen(self->from), err)
		   : resolve_local(self->source.label, self->from, err);
	if (from == NULL)
		return -1;
	to = self->target.end.session != NULL
		 ? text_copy(self->target.to, strlen(self->target.to), err)
		 : resolve_local(self->target.end.label, self->target.to, err);
	if (to == NULL)
		return -1;
	return copy_policy_judge(
	    job->policy, job->source, job->destination, from, to, err);
}

static int
run(struct tree_copy *self, struct error *err)
{
	const struct copy_tree_job *job = self->job;
	auto_free char *name = copy_tree_name(job->source, err);
	struct tree_request tree;
	int status;

	if (name == NULL || open_source(self, err) < 0 ||
	    tree_target_find(job->destination, name, job->request, false,
		&self->target, err) < 0 ||
	    check_not_inside(self, err) < 0 || judge_tops(self, err) < 0)
		return -1;
	tree = tree_request(self);
	watch_start(job->watch, job->source->text, 0);
	status = tree_copy(&tree, job->result, err);
	watch_stop(job->watch);
	return status < 0 ? hint_resume(self, err) : 0;
}

int
copy_tree(const struct copy_tree_job *job, struct error *err)
{
	struct tree_copy self = {.job = job};
	int status;

	if (job->request->dry_run) {
		watch_note(job->watch, _("would copy '%s' to '%s'"),
		    job->source->text, job->destination->text);
		return 0;
	}
	status = run(&self, err);
	tree_copy_clear(&self);
	return status;
}
