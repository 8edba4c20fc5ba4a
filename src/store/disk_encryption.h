/* disk_encryption.h - whether what is written to a directory reaches its disk
 * encrypted, as far as this host can tell */

#ifndef ANKLUME_STORE_DISK_ENCRYPTION_H
#define ANKLUME_STORE_DISK_ENCRYPTION_H

enum disk_encryption {
	DISK_UNKNOWN, /* file systems without a block device of their own
		       * (btrfs, ZFS, networks), loop devices */
	DISK_ENCRYPTED,
	DISK_PLAIN, /* by this host; below it, who knows */
};

/* Of the file system that a directory is on. */
enum disk_encryption disk_encryption_of(const char *directory);

/* Of a block device, "254:0", by what `sysfs` ("/sys") says. All the devices
 * that it lies on must be. */
enum disk_encryption disk_encryption_of_device(
    const char *sysfs, const char *device);

#endif
