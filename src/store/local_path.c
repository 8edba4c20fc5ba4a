#include "store/local_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"

/* The working directory, or "" as the root of an absolute path. Heap. */
static char *
start_of(const char *path, struct error *err)
{
	char *here;

	if (*path == '/')
		return text_copy("", 0, err);
	here = realpath(".", NULL);
	if (here == NULL)
		error_set_errno(err, errno, _("cannot follow '%s'"), path);
	else if (strcmp(here, "/") == 0)
		*here = '\0';
	return here;
}

/* `next`, or where it leads should it be a link; "" is the root. Heap. */
static char *
follow(const char *next, struct error *err)
{
	struct stat found;
	char *followed;

	if (lstat(next, &found) < 0) {
		if (errno == ENOENT)
			return text_copy(next, strlen(next), err);
		error_set_errno(err, errno, _("cannot follow '%s'"), next);
		return NULL;
	}
	if (!S_ISLNK(found.st_mode))
		return text_copy(next, strlen(next), err);
	followed = realpath(next, NULL);
	if (followed == NULL)
		error_set_errno(err, errno, _("cannot follow '%s'"), next);
	else if (strcmp(followed, "/") == 0)
		*followed = '\0';
	return followed;
}

/* `done`, which has no links, with one more component. Heap. */
static char *
step(const char *done, const char *name, size_t length, struct error *err)
{
	auto_free char *next = NULL;
	const char *slash;

	if (length == 1 && *name == '.')
		return text_copy(done, strlen(done), err);
	if (length != 2 || strncmp(name, "..", 2) != 0) {
		next = text_format(err, "%s/%.*s", done, (int)length, name);
		return next != NULL ? follow(next, err) : NULL;
	}
	slash = strrchr(done, '/');
	return text_copy(done, slash != NULL ? (size_t)(slash - done) : 0, err);
}

char *
local_path_resolve(const char *path, struct error *err)
{
	auto_free char *done = start_of(path, err);

	while (done != NULL) {
		auto_free char *before = NULL;
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (length == 0)
			break;
		before = steal(done);
		done = step(before, path, length, err);
		path += length;
	}
	if (done != NULL && *done == '\0')
		return text_copy("/", 1, err);
	return steal(done);
}
