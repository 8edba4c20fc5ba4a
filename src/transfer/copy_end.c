#include "transfer/copy_end.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/sftp_directory.h"
#include "incus/sftp_path.h"
#include "incus/sftp_reader.h"
#include "incus/sftp_session.h"
#include "incus/sftp_walk.h"
#include "incus/sftp_writer.h"
#include "store/archive.h"
#include "store/local_file.h"
#include "stream/stream.h"
#include "transfer/copy.h"

/* A pipe has no mode: what a shell's redirection makes under umask 022. */
#define PIPE_MODE 0644U

void
copy_end_clear(struct copy_end *end)
{
	sftp_walk_free(end->walk);
	sftp_place_clear(&end->target);
	sftp_session_free(end->session);
	location_clear(&end->location);
	instance_ref_clear(&end->instance);
	free(end->judged);
	*end = (struct copy_end){0};
}

struct audited_place
copy_end_audited(const struct copy_end *end)
{
	const struct instance_ref *found = &end->instance;
	const struct instance_word *typed = &end->location.instance;

	return (struct audited_place){
	    .project = found->project != NULL ? found->project : typed->project,
	    .instance = found->name != NULL ? found->name : typed->name,
	    .path =
		end->location.kind == LOCATION_STDIO ? "-" : end->location.path,
	};
}

int
copy_end_connect(
    struct incus_client *client, struct copy_end *end, struct error *err)
{
	if (end->location.kind != LOCATION_INSTANCE || end->session != NULL)
		return 0;
	end->session = sftp_session_new(client, &end->instance, err);
	return end->session != NULL ? 0 : -1;
}

int
copy_end_ready(struct copy_end *end, struct error *err)
{
	return end->session != NULL ? sftp_session_ready(end->session, err) : 0;
}

bool
copy_end_broken(const struct copy_end *end)
{
	return end->session != NULL && sftp_session_broken(end->session);
}

int
copy_end_look_ahead(struct copy_end *end, struct error *err)
{
	if (end->session == NULL)
		return 0;
	sftp_walk_free(end->walk);
	end->walk = sftp_walk_new(end->session, end->location.path, err);
	return end->walk != NULL ? 0 : -1;
}

/* What the policy has judged is what is opened: a link may point elsewhere by
 * now. */
static const char *
source_path(const struct copy_end *end)
{
	return end->judged != NULL ? end->judged : end->location.path;
}

static struct stream *
open_in_instance(
    struct copy_end *end, struct copy_file *ret_file, struct error *err)
{
	struct sftp_attributes found = {0};
	struct stream *body = sftp_file_open(
	    end->session, source_path(end), &found, &ret_file->grew, err);

	if (body == NULL)
		return NULL;
	ret_file->has_attributes = true;
	ret_file->has_owner = (found.flags & SFTP_HAS_OWNER) != 0;
	ret_file->size_bytes = found.size_bytes;
	ret_file->mode = found.mode & 07777U;
	ret_file->uid = found.uid;
	ret_file->gid = found.gid;
	ret_file->atime_s = found.atime_s;
	ret_file->mtime_s = found.mtime_s;
	return body;
}

static struct stream *
open_local(struct copy_end *end, struct copy_file *ret_file, struct error *err)
{
	struct local_attributes found = {0};
	struct stream *body =
	    local_file_open(source_path(end), &found, &ret_file->grew, err);

	if (body == NULL)
		return NULL;
	ret_file->has_attributes = true;
	ret_file->size_bytes = found.size_bytes;
	ret_file->mode = found.mode;
	ret_file->atime_s = found.mtime_s;
	ret_file->mtime_s = found.mtime_s;
	return body;
}

struct stream *
copy_end_open(
    struct copy_end *end, struct copy_file *ret_file, struct error *err)
{
	uint64_t size;

	*ret_file = (struct copy_file){.mode = PIPE_MODE};
	switch (end->location.kind) {
	case LOCATION_INSTANCE:
		return open_in_instance(end, ret_file, err);
	case LOCATION_LOCAL:
		return open_local(end, ret_file, err);
	case LOCATION_STDIO:
		break;
	}
	return archive_open("-", &size, err);
}

static bool
ends_with_slash(const char *path)
{
	return text_ends_with(path, "/");
}

int
copy_end_resolve(
    const struct copy_end *end, struct sftp_place *ret_place, struct error *err)
{
	return sftp_resolve(end->session, end->location.path, ret_place, err);
}

int
copy_end_is_directory(struct copy_end *end, struct error *err)
{
	struct sftp_attributes found = {0};
	int there;

	if (end->location.kind == LOCATION_STDIO)
		return 0;
	if (ends_with_slash(end->location.path))
		return 1;
	if (end->location.kind == LOCATION_LOCAL)
		return local_is_directory(end->location.path);
	if (sftp_session_ready(end->session, err) < 0)
		return -1;
	there = sftp_look(end->session, end->location.path, &found, err);
	return there > 0 ? S_ISDIR(found.mode) : there;
}

/* What would be the name of the file, when the target is to be a directory. */
static char *
inside(const char *directory, const char *name, struct error *err)
{
	if (name == NULL) {
		error_set(err, ERROR_USAGE,
		    _("'%s' is a directory: standard input has no name in it"),
		    directory);
		return NULL;
	}
	return text_format(err, "%s%s%s", directory,
	    ends_with_slash(directory) ? "" : "/", name);
}

static int
missing_parent(const char *label, const char *parent, struct error *err)
{
	error_set(err, ERROR_NOT_FOUND,
	    _("the directory '%s%s' does not exist"), label, parent);
	return error_hint(err, _("-p makes missing directories"));
}

/* The directory that a file goes into, where *found lies, must be there. */
static int
need_directory(struct copy_end *end, const char *directory,
    struct sftp_attributes *found, const struct copy_request *request,
    struct error *err)
{
	const char *label = sftp_session_name(end->session);

	if (S_ISDIR(found->mode))
		return 0;
	if (sftp_is_there(found))
		return error_set(err, ERROR_FAILED,
		    _("'%s%s' is not a directory"), label, directory);
	if (!request->create_directories)
		return missing_parent(label, directory, err);
	if (request->dry_run)
		return 0;
	return sftp_make_directories(end->session, directory, found, err);
}

/* The location's own place, by what was asked ahead. */
static int
end_walk(struct copy_end *end, struct sftp_place *ret_place, struct error *err)
{
	auto_sftp_walk struct sftp_walk *walk = NULL;

	if (end->walk == NULL && copy_end_look_ahead(end, err) < 0)
		return -1;
	walk = steal(end->walk);
	return sftp_walk_end(walk, ret_place, err);
}

static int
find_in_instance(struct copy_end *end, const char *name,
    const struct copy_request *request, struct sftp_place *ret_place,
    struct error *err)
{
	auto_sftp_place struct sftp_place place = {0};
	auto_free char *other = NULL;

	if (end_walk(end, &place, err) < 0)
		return -1;
	if (ends_with_slash(end->location.path) || S_ISDIR(place.found.mode)) {
		other = inside(place.path, name, err);
		if (other == NULL || need_directory(end, place.path,
					 &place.found, request, err) < 0)
			return -1;
		return sftp_resolve(end->session, other, ret_place, err);
	}
	other = sftp_parent(place.path, err);
	if (other == NULL ||
	    (!sftp_is_there(&place.found) &&
		need_directory(end, other, &place.above, request, err) < 0))
		return -1;
	*ret_place = place;
	place.path = NULL;
	return 0;
}

static char *
target_in_instance(struct copy_end *end, const char *name,
    const struct copy_request *request, struct error *err)
{
	sftp_place_clear(&end->target);
	if (find_in_instance(end, name, request, &end->target, err) < 0)
		return NULL;
	return text_copy(end->target.path, strlen(end->target.path), err);
}

static int
need_local_directory(const char *directory, const struct copy_request *request,
    struct error *err)
{
	if (local_is_directory(directory))
		return 0;
	if (errno != ENOENT)
		return error_set_errno(
		    err, errno, _("cannot write in '%s'"), directory);
	if (!request->create_directories)
		return missing_parent("", directory, err);
	return request->dry_run ? 0 : local_make_directories(directory, err);
}

static char *
target_local(const struct copy_end *end, const char *name,
    const struct copy_request *request, struct error *err)
{
	const char *typed = end->location.path;
	const char *slash = strrchr(typed, '/');
	auto_free char *target = NULL;
	auto_free char *parent = NULL;

	if (ends_with_slash(typed) || local_is_directory(typed))
		target = inside(typed, name, err);
	else
		target = text_copy(typed, strlen(typed), err);
	if (target == NULL || local_is_directory(typed))
		return steal(target);

	parent = slash == NULL ? text_copy(".", 1, err)
		 : slash == typed
		     ? text_copy("/", 1, err)
		     : text_copy(typed, (size_t)(slash - typed), err);
	if (parent == NULL || need_local_directory(parent, request, err) < 0)
		return NULL;
	return steal(target);
}

char *
copy_end_target(struct copy_end *end, const char *name,
    const struct copy_request *request, struct error *err)
{
	switch (end->location.kind) {
	case LOCATION_INSTANCE:
		return target_in_instance(end, name, request, err);
	case LOCATION_LOCAL:
		return target_local(end, name, request, err);
	case LOCATION_STDIO:
		break;
	}
	return NULL;
}

bool
copy_end_is_current(const struct copy_end *end, const char *target,
    const struct copy_file *file)
{
	const struct sftp_attributes *there = &end->target.found;
	struct stat found;

	if (!file->has_attributes || target == NULL)
		return false;
	if (end->location.kind == LOCATION_INSTANCE)
		return S_ISREG(there->mode) &&
		       there->size_bytes == file->size_bytes &&
		       there->mtime_s == file->mtime_s;
	return stat(target, &found) == 0 && S_ISREG(found.st_mode) &&
	       (uint64_t)found.st_size == file->size_bytes &&
	       found.st_mtim.tv_sec == file->mtime_s;
}

/* Owner and mode on arrival: design, section 4. */
static struct sftp_attributes
choose_attributes(const struct sftp_place *target, const struct copy_file *file,
    const struct copy_request *request)
{
	const struct sftp_attributes *owner = NULL;
	struct sftp_attributes chosen = {
	    .flags = SFTP_HAS_OWNER | SFTP_HAS_MODE,
	    .uid = file->uid,
	    .gid = file->gid,
	    .mode = file->mode & (request->keep_setuid ? 07777U : 01777U),
	    .atime_s = (uint32_t)file->atime_s,
	    .mtime_s = (uint32_t)file->mtime_s,
	};

	if (sftp_is_there(&target->found)) {
		owner = &target->found;
		chosen.mode = owner->mode & 07777U;
	} else if (!file->has_owner) {
		owner = &target->above;
	}
	if (owner != NULL) {
		chosen.uid = owner->uid;
		chosen.gid = owner->gid;
	}

	if (file->has_attributes)
		chosen.flags |= SFTP_HAS_TIMES;
	if (request->uid >= 0)
		chosen.uid = (uint32_t)request->uid;
	if (request->gid >= 0)
		chosen.gid = (uint32_t)request->gid;
	if (request->mode >= 0)
		chosen.mode = (uint32_t)request->mode;
	return chosen;
}

/* What a file that stays has already: setuid is lost by writing. */
static uint32_t
kept_attributes(
    const struct sftp_place *target, const struct sftp_attributes *chosen)
{
	const struct sftp_attributes *there = &target->found;
	uint32_t kept = 0;

	if (chosen->uid == there->uid && chosen->gid == there->gid)
		kept |= SFTP_HAS_OWNER;
	if (chosen->mode == (there->mode & 07777U) &&
	    (chosen->mode & 06000U) == 0)
		kept |= SFTP_HAS_MODE;
	return kept;
}

static int
check_replaceable(const struct copy_end *end,
    const struct copy_request *request, struct error *err)
{
	const struct sftp_place *target = &end->target;
	const char *label = sftp_session_name(end->session);

	if (!sftp_is_there(&target->found))
		return 0;
	if (!S_ISREG(target->found.mode))
		return error_set(err, ERROR_EXISTS,
		    _("'%s%s' exists and is not a regular file"), label,
		    target->path);
	if (request->no_clobber)
		return error_set(err, ERROR_EXISTS, _("'%s%s' exists already"),
		    label, target->path);
	return 0;
}

static int
put_in_instance(struct copy_end *end, const char *target,
    struct copy_file *file, const struct copy_request *request,
    struct stream *body, struct error *err)
{
	struct sftp_put_request put = {
	    .path = target,
	    .exclusive = request->no_clobber,
	    .in_place = request->in_place && sftp_is_there(&end->target.found),
	    .sent = file->sent,
	    .attributes = choose_attributes(&end->target, file, request),
	};

	assert(strcmp(target, end->target.path) == 0);

	if (put.in_place)
		put.attributes.flags &=
		    ~kept_attributes(&end->target, &put.attributes);
	if (check_replaceable(end, request, err) < 0)
		return -1;
	return sftp_file_put(
	    end->session, &put, body, &file->written_bytes, err);
}

int
copy_end_put(struct copy_end *end, const char *target, struct copy_file *file,
    const struct copy_request *request, struct stream *body, struct error *err)
{
	struct local_put_request local = {
	    .path = target,
	    .exclusive = request->no_clobber,
	    .in_place = request->in_place,
	    .mode = file->mode,
	    .has_mtime = file->has_attributes,
	    .mtime_s = file->mtime_s,
	    .exact_uid = request->uid,
	    .exact_gid = request->gid,
	    .exact_mode = request->mode,
	    .sent = file->sent,
	};

	switch (end->location.kind) {
	case LOCATION_INSTANCE:
		return put_in_instance(end, target, file, request, body, err);
	case LOCATION_LOCAL:
		return local_file_put(&local, body, &file->written_bytes, err);
	case LOCATION_STDIO:
		break;
	}
	return stream_write_fd(
	    body, STDOUT_FILENO, "-", &file->written_bytes, err);
}
