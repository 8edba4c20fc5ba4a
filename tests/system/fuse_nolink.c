/* fuse_nolink.c - a file system that can do little, as those of sticks, phones
 * and shares: no hard links, no nameless files, no modes, no owners
 *
 *	fuse_nolink BACKING MOUNT [plain] [bad-sync] [bad-read] [hold=FILE]
 *
 * It stays in the foreground until it is unmounted.
 *
 *	plain      rename cannot be told to replace nothing
 *	bad-sync   fsync fails with EIO
 *	bad-read   the first byte that is read is another than was written
 *	hold=FILE  a write behind the first MiB waits as long as FILE exists
 */

#define FUSE_USE_VERSION 31

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HOLD_BEHIND_BYTES (1024 * 1024)

static struct {
	int backing;
	bool plain;
	bool bad_sync;
	bool bad_read;
	const char *hold;
} settings;

/* FUSE's paths begin with a slash; ours are below the backing directory. */
static const char *
below(const char *path)
{
	return path[1] != '\0' ? path + 1 : ".";
}

static int
result_of(int value)
{
	return value < 0 ? -errno : 0;
}

static int
on_getattr(const char *path, struct stat *found, struct fuse_file_info *file)
{
	if (file != NULL)
		return result_of(fstat((int)file->fh, found));
	return result_of(
	    fstatat(settings.backing, below(path), found, AT_SYMLINK_NOFOLLOW));
}

static int
on_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
    struct fuse_file_info *file, enum fuse_readdir_flags flags)
{
	int fd = openat(settings.backing, below(path), O_RDONLY | O_DIRECTORY);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *item;

	(void)offset;
	(void)file;
	(void)flags;
	if (dir == NULL)
		return -errno;
	while ((item = readdir(dir)) != NULL)
		(void)fill(buffer, item->d_name, NULL, 0, 0);
	(void)closedir(dir);
	return 0;
}

static int
on_mkdir(const char *path, mode_t mode)
{
	return result_of(mkdirat(settings.backing, below(path), mode));
}

static int
on_unlink(const char *path)
{
	return result_of(unlinkat(settings.backing, below(path), 0));
}

static int
on_rename(const char *from, const char *to, unsigned int flags)
{
	if (settings.plain && flags != 0)
		return -EINVAL;
	return result_of(renameat2(
	    settings.backing, below(from), settings.backing, below(to), flags));
}

static int
on_open(const char *path, struct fuse_file_info *file)
{
	int fd = openat(settings.backing, below(path), file->flags, 0600);

	file->fh = (uint64_t)fd;
	return result_of(fd);
}

static int
on_create(const char *path, mode_t mode, struct fuse_file_info *file)
{
	(void)mode;
	return on_open(path, file);
}

static int
on_read(const char *path, char *buffer, size_t size, off_t offset,
    struct fuse_file_info *file)
{
	ssize_t got = pread((int)file->fh, buffer, size, offset);

	(void)path;
	if (settings.bad_read && offset == 0 && got > 0)
		buffer[0] ^= 1;
	return got < 0 ? -errno : (int)got;
}

static bool
is_held(off_t offset)
{
	return settings.hold != NULL && offset >= HOLD_BEHIND_BYTES &&
	       access(settings.hold, F_OK) == 0;
}

static int
on_write(const char *path, const char *bytes, size_t size, off_t offset,
    struct fuse_file_info *file)
{
	static const struct timespec moment = {.tv_nsec = 2000000};
	ssize_t written;

	(void)path;
	while (is_held(offset)) {
		if (fuse_interrupted())
			return -EINTR;
		(void)nanosleep(&moment, NULL);
	}
	written = pwrite((int)file->fh, bytes, size, offset);
	return written < 0 ? -errno : (int)written;
}

static int
on_fsync(const char *path, int data_only, struct fuse_file_info *file)
{
	(void)path;
	(void)data_only;
	if (settings.bad_sync)
		return -EIO;
	return result_of(fsync((int)file->fh));
}

static int
on_release(const char *path, struct fuse_file_info *file)
{
	(void)path;
	return result_of(close((int)file->fh));
}

static const struct fuse_operations operations = {
    .getattr = on_getattr,
    .readdir = on_readdir,
    .mkdir = on_mkdir,
    .unlink = on_unlink,
    .rename = on_rename,
    .open = on_open,
    .create = on_create,
    .read = on_read,
    .write = on_write,
    .fsync = on_fsync,
    .release = on_release,
};

int
main(int argc, char **argv)
{
	char *words[] = {argv[0], NULL, NULL, NULL};

	if (argc < 3) {
		(void)fprintf(stderr, "fuse_nolink BACKING MOUNT [HOW...]\n");
		return 2;
	}
	words[1] = argv[2];
	words[2] = (char[]){"-f"};
	for (int i = 3; i < argc; i++) {
		if (strcmp(argv[i], "plain") == 0)
			settings.plain = true;
		else if (strcmp(argv[i], "bad-sync") == 0)
			settings.bad_sync = true;
		else if (strcmp(argv[i], "bad-read") == 0)
			settings.bad_read = true;
		else if (strncmp(argv[i], "hold=", 5) == 0)
			settings.hold = argv[i] + 5;
	}
	settings.backing = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (settings.backing < 0) {
		perror(argv[1]);
		return 1;
	}
	return fuse_main(3, words, &operations, NULL);
}
