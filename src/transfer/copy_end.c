#include "transfer/copy_end.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/sftp_path.h"
#include "incus/sftp_reader.h"
#include "incus/sftp_session.h"
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
	sftp_session_free(end->session);
	location_clear(&end->location);
	instance_ref_clear(&end->instance);
	*end = (struct copy_end){0};
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

static struct stream *
open_in_instance(
    struct copy_end *end, struct copy_file *ret_file, struct error *err)
{
	struct sftp_attributes found = {0};
	struct stream *body = sftp_file_open(
	    end->session, end->location.path, &found, &ret_file->grew, err);

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
	    local_file_open(end->location.path, &found, &ret_file->grew, err);

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

char *
copy_end_resolve(const struct copy_end *end, struct error *err)
{
	return sftp_resolve(end->session, end->location.path, err);
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

/* The directory that a file goes into must be there. */
static int
need_directory(struct copy_end *end, const char *directory,
    const struct copy_request *request, struct error *err)
{
	struct sftp_attributes found = {0};
	int there = sftp_look(end->session, directory, &found, err);

	if (there < 0)
		return -1;
	if (there > 0 && S_ISDIR(found.mode))
		return 0;
	if (there > 0)
		return error_set(err, ERROR_FAILED,
		    _("'%s%s' is not a directory"),
		    sftp_session_name(end->session), directory);
	if (!request->create_directories)
		return missing_parent(
		    sftp_session_name(end->session), directory, err);
	if (request->dry_run)
		return 0;
	return sftp_make_directories(end->session, directory, err);
}

static char *
target_in_instance(struct copy_end *end, const char *name,
    const struct copy_request *request, struct error *err)
{
	const char *typed = end->location.path;
	auto_free char *path = NULL;
	auto_free char *longer = NULL;
	auto_free char *parent = NULL;
	struct sftp_attributes found = {0};
	int there;

	if (sftp_session_ready(end->session, err) < 0)
		return NULL;
	path = sftp_resolve(end->session, typed, err);
	if (path == NULL)
		return NULL;
	there = sftp_look(end->session, path, &found, err);
	if (there < 0)
		return NULL;

	if (ends_with_slash(typed) || (there > 0 && S_ISDIR(found.mode))) {
		longer = inside(path, name, err);
		if (longer == NULL ||
		    need_directory(end, path, request, err) < 0)
			return NULL;
		return sftp_resolve(end->session, longer, err);
	}
	parent = sftp_parent(path, err);
	if (parent == NULL ||
	    (there == 0 && need_directory(end, parent, request, err) < 0))
		return NULL;
	return steal(path);
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

/* Owner and mode on arrival: design, section 4. */
static int
choose_attributes(struct copy_end *end, const char *target,
    const struct copy_file *file, const struct copy_request *request,
    struct sftp_attributes *ret_attributes, struct error *err)
{
	auto_free char *parent = sftp_parent(target, err);
	struct sftp_attributes chosen = {
	    .flags = SFTP_HAS_OWNER | SFTP_HAS_MODE,
	    .uid = file->uid,
	    .gid = file->gid,
	    .mode = file->mode & (request->keep_setuid ? 07777U : 01777U),
	    .atime_s = (uint32_t)file->atime_s,
	    .mtime_s = (uint32_t)file->mtime_s,
	};
	struct sftp_attributes found = {0};
	int there =
	    parent != NULL ? sftp_look(end->session, target, &found, err) : -1;

	if (there < 0)
		return -1;
	if (there > 0 && !S_ISREG(found.mode))
		return error_set(err, ERROR_EXISTS,
		    _("'%s%s' exists and is not a regular file"),
		    sftp_session_name(end->session), target);
	if (there > 0 && request->no_clobber)
		return error_set(err, ERROR_EXISTS, _("'%s%s' exists already"),
		    sftp_session_name(end->session), target);
	if (there > 0)
		chosen.mode = found.mode & 07777U;
	else if (!file->has_owner &&
		 sftp_stat(end->session, parent, &found, err) < 0)
		return -1;
	if (there > 0 || !file->has_owner) {
		chosen.uid = found.uid;
		chosen.gid = found.gid;
	}

	if (file->has_attributes)
		chosen.flags |= SFTP_HAS_TIMES;
	if (request->uid >= 0)
		chosen.uid = (uint32_t)request->uid;
	if (request->gid >= 0)
		chosen.gid = (uint32_t)request->gid;
	if (request->mode >= 0)
		chosen.mode = (uint32_t)request->mode;
	*ret_attributes = chosen;
	return 0;
}

static int
put_in_instance(struct copy_end *end, const char *target,
    struct copy_file *file, const struct copy_request *request,
    struct stream *body, struct error *err)
{
	struct sftp_put_request put = {
	    .path = target, .exclusive = request->no_clobber};

	if (choose_attributes(
		end, target, file, request, &put.attributes, err) < 0)
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
	    .mode = file->mode,
	    .has_mtime = file->has_attributes,
	    .mtime_s = file->mtime_s,
	    .exact_uid = request->uid,
	    .exact_gid = request->gid,
	    .exact_mode = request->mode,
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
