#include "store/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"

char *
state_directory(struct error *err)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (state != NULL && *state == '/')
		return text_format(err, "%s/anklume", state);
	if (home != NULL && *home == '/')
		return text_format(err, "%s/.local/state/anklume", home);
	error_set(err, ERROR_FAILED,
	    _("neither XDG_STATE_HOME nor HOME says where to keep it"));
	return NULL;
}

char *
state_host_directory(const char *name, struct error *err)
{
	auto_free char *state = NULL;

	if (geteuid() == 0)
		return text_format(err, "/var/lib/anklume/%s", name);
	state = state_directory(err);
	return state != NULL ? text_format(err, "%s/%s", state, name) : NULL;
}

int
state_make_directories(char *path, mode_t mode, struct error *err)
{
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash, '/')) {
		if (slash != NULL)
			*slash = '\0';
		if (mkdir(path, mode) < 0 && errno != EEXIST)
			return error_set_errno(
			    err, errno, _("cannot make '%s'"), path);
		if (slash == NULL)
			return 0;
		*slash++ = '/';
	}
}
