#include "store/left_file.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"

/* The link's text is enough: to follow it could wait for a dead file server. */
static bool
leads_to(int descriptors, const char *link, const char *name)
{
	char target[PATH_MAX + 1];
	ssize_t size = readlinkat(descriptors, link, target, PATH_MAX);
	const char *last;

	if (size <= 0)
		return false;
	target[size] = '\0';
	last = strrchr(target, '/');
	return last != NULL && strncmp(last + 1, name, strlen(name)) == 0;
}

static bool
process_holds(int proc, const char *pid, const char *name)
{
	auto_close int process =
	    openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir DIR *descriptors = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *item;

	if (descriptors == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	while ((item = readdir(descriptors)) != NULL) {
		if (leads_to(fd, item->d_name, name))
			return true;
	}
	return false;
}

bool
left_file_is_held(const char *name)
{
	auto_dir DIR *proc = opendir("/proc");
	const struct dirent *item;

	/* What cannot be told is as if it were so. */
	if (proc == NULL)
		return true;
	while ((item = readdir(proc)) != NULL) {
		if (isdigit((unsigned char)item->d_name[0]) &&
		    process_holds(dirfd(proc), item->d_name, name))
			return true;
	}
	return false;
}
