#include "transfer/inner_path.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"

/* Append the components of `path` to `out`, which ends before where the next
 * one goes; "/" itself is empty there. `out` has room for both. */
static void
append(char *out, const char *path)
{
	size_t used = strlen(out);

	while (*path != '\0') {
		size_t length = strcspn(path, "/");

		if (length == 2 && strncmp(path, "..", 2) == 0) {
			char *slash = strrchr(out, '/');

			/* The parent of "/" is "/". */
			used = slash != NULL ? (size_t)(slash - out) : 0;
			out[used] = '\0';
		} else if (length > 0 && strncmp(path, ".", length) != 0) {
			out[used++] = '/';
			memcpy(out + used, path, length);
			used += length;
			out[used] = '\0';
		}
		path += length;
		path += *path == '/';
	}
}

/* Room for all of these, and a NUL. */
static char *
room(const char *one, const char *other, const char *third, struct error *err)
{
	char *out = text_format(err, "/%s/%s/%s", one, other, third);

	if (out != NULL)
		*out = '\0';
	return out;
}

static char *
finish(char *path)
{
	if (*path == '\0')
		memcpy(path, "/", 2);
	return path;
}

static bool
climbs(const char *path)
{
	while (*path != '\0') {
		size_t length = strcspn(path, "/");

		if (length == 2 && strncmp(path, "..", 2) == 0)
			return true;
		path += length;
		path += *path == '/';
	}
	return false;
}

char *
inner_path(const char *path, struct error *err)
{
	char *out;

	if (*path != '/') {
		error_set(err, ERROR_USAGE,
		    _("'%s' is not a path as seen in the instance"), path);
		error_hint(err, "/%s", path);
		return NULL;
	}
	if (climbs(path)) {
		error_set(err, ERROR_USAGE,
		    _("'%s': there is no '..' in an archive"), path);
		return NULL;
	}
	out = room(path, "", "", err);
	if (out == NULL)
		return NULL;
	append(out, path);
	return finish(out);
}

char *
inner_path_follow(
    const char *path, const char *link, const char *target, struct error *err)
{
	char *out = room(link, target, path, err);
	const char *rest = path + strlen(link);

	if (out == NULL)
		return NULL;
	if (*target != '/') {
		append(out, link);
		append(out, "..");
	}
	append(out, target);
	append(out, rest);
	return finish(out);
}
