#include "transfer/tree_target.h"

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
#include "transfer/copy.h"
#include "transfer/copy_end.h"

char *
tree_target_name(const char *path, struct error *err)
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
find_in_instance(struct tree_target *self, struct copy_end *destination,
    const char *name, const struct copy_request *request, bool may_be_file,
    struct error *err)
{
	auto_sftp_place struct sftp_place place = {0};
	auto_free char *parent = NULL;

	if (copy_end_resolve(destination, &place, err) < 0)
		return -1;
	if (tree_end_open_session(&self->end, destination->session, err) < 0)
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
	if (sftp_is_there(&place.found) &&
	    !(may_be_file && S_ISREG(place.found.mode)))
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

	*ret_name = tree_target_name(path, err);
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
find_local(struct tree_target *self, struct copy_end *destination,
    const char *name, const struct copy_request *request, bool may_be_file,
    struct error *err)
{
	const char *path = destination->location.path;
	auto_free char *parent = NULL;
	auto_free char *own = NULL;
	struct stat found;

	if (stat(path, &found) == 0 && !S_ISDIR(found.st_mode) &&
	    !(may_be_file && S_ISREG(found.st_mode)))
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
	self->to = steal(own);
	return tree_end_open_local(&self->end, parent, err);
}

int
tree_target_find(struct copy_end *destination, const char *name,
    const struct copy_request *request, bool may_be_file,
    struct tree_target *ret_target, struct error *err)
{
	*ret_target = (struct tree_target){0};
	switch (destination->location.kind) {
	case LOCATION_INSTANCE:
		return find_in_instance(
		    ret_target, destination, name, request, may_be_file, err);
	case LOCATION_LOCAL:
		return find_local(
		    ret_target, destination, name, request, may_be_file, err);
	case LOCATION_STDIO:
		break;
	}
	return error_set(
	    err, ERROR_USAGE, _("a directory cannot go to standard output"));
}

void
tree_target_clear(struct tree_target *target)
{
	tree_end_clear(&target->end);
	free(target->to);
	*target = (struct tree_target){0};
}
