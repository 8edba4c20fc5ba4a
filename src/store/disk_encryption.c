#include "store/disk_encryption.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/auto.h"

/* LVM on a RAID of partitions is three. */
#define DEPTH_MAX 8

/* How cryptsetup names its devices to the kernel (lib/libdevmapper.c). */
static const char crypt_prefix[] = "CRYPT-";

static bool
is_crypt(int device)
{
	char uuid[sizeof(crypt_prefix) - 1];
	auto_close int fd = openat(device, "dm/uuid", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, uuid, sizeof(uuid)) == sizeof(uuid) &&
	       memcmp(uuid, crypt_prefix, sizeof(uuid)) == 0;
}

/* Where its bytes go is another file's business. */
static bool
is_loop(int device)
{
	return faccessat(device, "loop", F_OK, 0) == 0;
}

static enum disk_encryption look_at(int device, int depth);

/* Encrypted when all are, plain when one is; without any, plain. */
static enum disk_encryption
look_below(int slaves, int depth)
{
	auto_dir DIR *dir = fdopendir(slaves);
	enum disk_encryption all = DISK_PLAIN;
	const struct dirent *item;
	bool any = false;

	if (dir == NULL) {
		(void)close(slaves);
		return DISK_UNKNOWN;
	}
	while ((item = readdir(dir)) != NULL) {
		auto_close int fd = -1;
		enum disk_encryption one;

		if (item->d_name[0] == '.')
			continue;
		fd = openat(dirfd(dir), item->d_name,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		one = fd >= 0 ? look_at(fd, depth + 1) : DISK_UNKNOWN;
		if (one == DISK_PLAIN)
			return DISK_PLAIN;
		if (!any || one == DISK_UNKNOWN)
			all = one;
		any = true;
	}
	return all;
}

static enum disk_encryption
look_at(int device, int depth)
{
	int slaves;

	if (is_crypt(device))
		return DISK_ENCRYPTED;
	if (is_loop(device) || depth == DEPTH_MAX)
		return DISK_UNKNOWN;
	slaves = openat(device, "slaves", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A partition has none. */
	return slaves >= 0 ? look_below(slaves, depth) : DISK_PLAIN;
}

enum disk_encryption
disk_encryption_of_device(const char *sysfs, const char *device)
{
	char path[256];
	auto_close int fd = -1;

	if (snprintf(path, sizeof(path), "%s/dev/block/%s", sysfs, device) >=
	    (int)sizeof(path))
		return DISK_UNKNOWN;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? look_at(fd, 0) : DISK_UNKNOWN;
}

enum disk_encryption
disk_encryption_of(const char *directory)
{
	struct stat found;
	char device[64];

	/* Major 0 is no device (Documentation/admin-guide/devices.txt). */
	if (stat(directory, &found) < 0 || major(found.st_dev) == 0)
		return DISK_UNKNOWN;
	(void)snprintf(device, sizeof(device), "%u:%u", major(found.st_dev),
	    minor(found.st_dev));
	return disk_encryption_of_device("/sys", device);
}
