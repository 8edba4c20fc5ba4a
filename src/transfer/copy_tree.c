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
#include "transfer/watch.h"

/* One tree, and its ends. */
struct tree_copy {
	const struct copy_tree_job *job;
	struct tree_end source;
	struct tree_end target;
	char *from;
	char *to;
	bool inside;	       /* the target is a directory that was there */
	struct file_facts top; /* the source's */
	struct file_facts in;  /* what the target's top lies in */
};

static void
tree_copy_clear(struct tree_copy *self)
{
	tree_end_clear(&self->source);
	tree_end_clear(&self->target);
	free(self->from);
	free(self->to);
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

/* The last component of a path, without the slashes behind it; "" for "/", "."
 * and "..", which give no name to a copy. Heap. */
static char *
name_of(const char *path, struct error *err)
{
	size_t end = strlen(path);
	size_t start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	if ((end - start == 1 && path[start] == '.') ||
	    (end - start == 2 && path[start] == '.' && path[start + 1] == '.'))
		return text_copy("", 0, err);
	return text_copy(path + start, end - start, err);
}

/* What stands before a path on our own disk. Heap. */
static char *
local_label(const char *path, struct error *err)
{
	return text_format(
	    err, "%s%s", path, text_ends_with(path, "/") ? "" : "/");
}

/* And in an instance. Heap. */
static char *
session_label(const struct sftp_session *session, struct error *err)
{
	return text_format(err, "%s", sftp_session_name(session));
}

char *
copy_tree_name(const struct copy_end *source, struct error *err)
{
	if (source->location.kind == LOCATION_STDIO)
		return text_copy("", 0, err);
	return name_of(source->location.path, err);
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
		self->source.session = source->session;
		self->source.label = session_label(source->session, err);
		if (self->source.label == NULL)
			return -1;
		self->top = sftp_facts(&place.found);
		self->from = steal(place.path);
		return 0;
	}
	self->source.local = local_tree_open(source->location.path, err);
	self->source.label = local_label(source->location.path, err);
	self->from = text_copy(".", 1, err);
	if (self->source.local == NULL || self->source.label == NULL ||
	    self->from == NULL)
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

static int
refuse_parent(const char *label, const char *path, struct error *err)
{
	error_set(err, ERROR_NOT_FOUND,
	    _("the directory '%s%s' does not exist"), label, path);
	return error_hint(err, _("-p makes missing directories"));
}

/* The directory that the top goes into, in an instance; it is there then. */
static int
need_parent(struct copy_end *destination, const char *path,
    struct sftp_attributes *found, const struct copy_request *request,
    struct error *err)
{
	const char *label = sftp_session_name(destination->session);

	if (S_ISDIR(found->mode))
		return 0;
	if (sftp_is_there(found))
		return error_set(err, ERROR_FAILED,
		    _("'%s%s' is not a directory"), label, path);
	if (!request->create_directories)
		return refuse_parent(label, path, err);
	return sftp_make_directories(destination->session, path, found, err);
}

static int
refuse_file(const char *label, const char *path, struct error *err)
{
	return error_set(err, ERROR_EXISTS,
	    _("'%s%s' is not a directory: a directory cannot go there"), label,
	    path);
}

static int
find_target_in_instance(
    struct tree_copy *self, const char *name, struct error *err)
{
	struct copy_end *destination = self->job->destination;
	const struct copy_request *request = self->job->request;
	auto_sftp_place struct sftp_place place = {0};
	auto_free char *parent = NULL;

	if (copy_end_resolve(destination, &place, err) < 0)
		return -1;
	self->target.session = destination->session;
	self->target.label = session_label(destination->session, err);
	if (self->target.label == NULL)
		return -1;
	if (S_ISDIR(place.found.mode) || request->source_count > 1) {
		if (need_parent(destination, place.path, &place.found, request,
			err) < 0)
			return -1;
		self->inside = true;
		self->in = sftp_facts(&place.found);
		self->to = text_format(err, "%s%s%s",
		    strcmp(place.path, "/") == 0 ? "" : place.path,
		    *name != '\0' ? "/" : "", name);
		return self->to != NULL ? 0 : -1;
	}
	if (sftp_is_there(&place.found))
		return refuse_file(
		    sftp_session_name(destination->session), place.path, err);
	parent = sftp_parent(place.path, err);
	if (parent == NULL ||
	    need_parent(destination, parent, &place.above, request, err) < 0)
		return -1;
	self->in = sftp_facts(&place.above);
	self->to = steal(place.path);
	return 0;
}

/* "a/b/" is in "a/" and called "b". */
static int
split_local(
    const char *path, char **ret_parent, char **ret_name, struct error *err)
{
	const char *name;
	size_t length;

	*ret_name = name_of(path, err);
	if (*ret_name == NULL)
		return -1;
	length = strlen(path);
	while (length > 0 && path[length - 1] == '/')
		length--;
	name = path + length - strlen(*ret_name);
	*ret_parent = name == path
			  ? text_copy(".", 1, err)
			  : text_copy(path, (size_t)(name - path), err);
	return *ret_parent != NULL ? 0 : -1;
}

static int
find_target_local(struct tree_copy *self, const char *name, struct error *err)
{
	const struct copy_request *request = self->job->request;
	const char *path = self->job->destination->location.path;
	auto_free char *parent = NULL;
	auto_free char *own = NULL;
	struct stat found;

	if (stat(path, &found) == 0 && !S_ISDIR(found.st_mode))
		return refuse_file("", path, err);
	if (local_is_directory(path) || request->source_count > 1) {
		self->inside = true;
		parent = text_copy(path, strlen(path), err);
		own = text_copy(*name != '\0' ? name : ".",
		    *name != '\0' ? strlen(name) : 1, err);
	} else if (split_local(path, &parent, &own, err) < 0) {
		return -1;
	}
	if (parent == NULL || own == NULL)
		return -1;
	if (!local_is_directory(parent) && !request->create_directories)
		return refuse_parent("", parent, err);
	if (!local_is_directory(parent) &&
	    local_make_directories(parent, err) < 0)
		return -1;
	self->target.local = local_tree_open(parent, err);
	self->target.label = local_label(parent, err);
	self->to = steal(own);
	return self->target.local != NULL && self->target.label != NULL ? 0
									: -1;
}

/* A tree must not grow while it is copied into itself. */
static int
check_not_inside(const struct tree_copy *self, struct error *err)
{
	const struct copy_end *source = self->job->source;
	const struct copy_end *destination = self->job->destination;
	size_t length = strlen(self->from);

	assert(self->to != NULL);

	if (source->location.kind != LOCATION_INSTANCE ||
	    destination->location.kind != LOCATION_INSTANCE ||
	    strcmp(source->instance.project, destination->instance.project) !=
		0 ||
	    strcmp(source->instance.name, destination->instance.name) != 0)
		return 0;
	if (strcmp(self->from, "/") != 0 &&
	    (strncmp(self->to, self->from, length) != 0 ||
		(self->to[length] != '/' && self->to[length] != '\0')))
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
	bool to_instance = self->target.session != NULL;

	return (struct tree_request){
	    .copy = self->job->request,
	    .watch = self->job->watch,
	    .judge =
		copy_policy_in_force(self->job->policy) ? judge_below : NULL,
	    .judge_data = (void *)(uintptr_t)self->job,
	    .source = &self->source,
	    .target = &self->target,
	    .from = self->from,
	    .to = self->to,
	    .top = self->top,
	    .keep_owner = to_instance && self->source.session != NULL,
	    .uid = to_instance ? (int64_t)self->in.uid : -1,
	    .gid = to_instance ? (int64_t)self->in.gid : -1,
	    .umask = to_instance ? 0 : local_umask(),
	};
}

static int
find_target(struct tree_copy *self, const char *name, struct error *err)
{
	switch (self->job->destination->location.kind) {
	case LOCATION_INSTANCE:
		return find_target_in_instance(self, name, err);
	case LOCATION_LOCAL:
		return find_target_local(self, name, err);
	case LOCATION_STDIO:
		break;
	}
	return error_set(
	    err, ERROR_USAGE, _("a directory cannot go to standard output"));
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
	return copy_resume_hint(
	    request, copied, request->source_count == 1 && !self->inside, err);
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

	assert(self->from != NULL && self->to != NULL);

	from = self->source.session != NULL
		   ? text_copy(self->from, strlen(self->from), err)
		   : resolve_local(self->source.label, self->from, err);
	if (from == NULL)
		return -1;
	to = self->target.session != NULL
		 ? text_copy(self->to, strlen(self->to), err)
		 : resolve_local(self->target.label, self->to, err);
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
	    find_target(self, name, err) < 0 ||
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
