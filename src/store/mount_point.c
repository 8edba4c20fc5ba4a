#include "store/mount_point.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"

/* Of another file system than the directory above: a directory that is bound to
 * itself, as systemd does with ReadWritePaths=, is the disk that it was before.
 * The attribute is in Linux since 5.8; where it is missing the device alone
 * tells. */
static int
is_root_of_mount(int fd, bool *ret_is)
{
	struct statx self;
	struct statx parent;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &self) < 0 ||
	    statx(fd, "..", 0, STATX_BASIC_STATS, &parent) < 0)
		return -1;
	*ret_is = self.stx_dev_major != parent.stx_dev_major ||
		  self.stx_dev_minor != parent.stx_dev_minor;
	/* A subvolume of btrfs has a device of its own, and is no mount. */
	if ((self.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0)
		*ret_is = *ret_is &&
			  (self.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
	return 0;
}

int
mount_point_check(const char *path, struct error *err)
{
	bool mounted = false;
	/* To open it sets an automounter going; to look at it does not. */
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || is_root_of_mount(fd, &mounted) < 0) {
		error_set_errno(
		    err, errno, _("nothing is mounted at '%s'"), path);
		err->code = ERROR_NO_DIRECTORY;
		return -1;
	}
	if (mounted)
		return 0;
	error_set(
	    err, ERROR_NO_DIRECTORY, _("nothing is mounted at '%s'"), path);
	return error_hint_command(err, "mount", path, NULL);
}
