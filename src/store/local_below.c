#include "store/local_below.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "stream/file_batch.h"

int
local_open_below(const struct local_tree *tree, const char *path, int flags)
{
	struct open_how how = {
	    .flags = (unsigned int)(flags | O_CLOEXEC | O_NOFOLLOW),
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, tree->fd, path, &how, sizeof(how));
}

int
local_open_parent(
    const struct local_tree *tree, const char *path, const char **ret_name)
{
	char parent[PATH_MAX] = ".";
	const char *slash = strrchr(path, '/');
	size_t length = slash != NULL ? (size_t)(slash - path) : 1;

	*ret_name = slash != NULL ? slash + 1 : path;
	if (length >= sizeof(parent)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (slash != NULL) {
		memcpy(parent, path, length);
		parent[length] = '\0';
	}
	return local_open_below(tree, parent, O_RDONLY | O_DIRECTORY);
}

int
local_fail(const struct local_tree *tree, const char *path, const char *what,
    struct error *failure)
{
	return error_set_errno(
	    failure, errno, "%s '%s/%s'", what, tree->name, path);
}

int
local_each(struct local_tree *tree, struct file_batch *batch,
    local_action *link, local_action *regular, struct error *err)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_file *file = &batch->files[i];

		if (interrupt_check(err) < 0)
			return -1;
		if (!batch_file_is_wanted(file))
			continue;
		if (S_ISLNK(file->facts.mode))
			link(tree, file);
		else
			regular(tree, file);
	}
	return 0;
}
