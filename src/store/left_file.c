#include "store/left_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"

/* As publication.c names them: the prefix, digits, the suffix. */
static const char prefix[] = ".anklume-";
static const char suffix[] = ".part";
#define DIGITS 32

/* Nobody writes a file for so long without a byte. */
#define OLD_S (24 * 60 * 60)

/* Between its making and its being seen in /proc. */
#define YOUNG_S 2

/* "DIR", and below it "DIR/<project>". */
#define DEPTH_MAX 1

struct search {
	left_file_visit *visit;
	void *data;
};

static bool
is_ours_by_name(const char *name)
{
	size_t start = sizeof(prefix) - 1;

	return strlen(name) == start + DIGITS + sizeof(suffix) - 1 &&
	       text_starts_with(name, prefix) && text_ends_with(name, suffix) &&
	       strspn(name + start, "0123456789abcdef") == DIGITS;
}

static bool
is_ours(int at, const char *name, struct stat *ret_found)
{
	return is_ours_by_name(name) &&
	       fstatat(at, name, ret_found, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(ret_found->st_mode) && ret_found->st_uid == geteuid();
}

/* Whether only processes of this host can have it open, by the numbers of
 * statfs(2): ext, XFS, btrfs, vfat, exFAT, ZFS, F2FS, tmpfs, overlayfs. */
static bool
is_local(int fd)
{
	static const uint32_t kinds[] = {0xEF53U, 0x58465342U, 0x9123683EU,
	    0x4D44U, 0x2011BAB0U, 0x2FC12FC1U, 0xF2F52010U, 0x01021994U,
	    0x794C7630U};
	struct statfs found;

	if (fstatfs(fd, &found) < 0)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if ((uint32_t)found.f_type == kinds[i])
			return true;
	}
	return false;
}

/* Another of its own sees only some of this host's processes. The number is the
 * kernel's (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
static bool
sees_all_processes(void)
{
	struct stat found;

	return stat("/proc/self/ns/pid", &found) == 0 &&
	       found.st_ino == 0xEFFFFFFCU;
}

static bool
is_in_use(int at, const char *name, const struct stat *found)
{
	time_t age_s = time(NULL) - found->st_mtime;
	bool can_tell = is_local(at) && sees_all_processes();

	if (age_s < (can_tell ? YOUNG_S : OLD_S))
		return true;
	return left_file_is_held(name);
}

static int search_in(const struct search *search, int directory_fd,
    const char *path, int depth, struct error *err);

static int
search_below(const struct search *search, int at, const char *name,
    const char *path, int depth, struct error *err)
{
	int fd;

	if (depth == DEPTH_MAX || *name == '.')
		return 0;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* No directory, or not ours to read. */
	if (fd < 0)
		return 0;
	return search_in(search, fd, path, depth + 1, err);
}

static int
take_name(const struct search *search, int at, const char *name,
    const char *directory, int depth, struct error *err)
{
	auto_free char *path = text_format(err, "%s%s%s", directory,
	    text_ends_with(directory, "/") ? "" : "/", name);
	struct left_file file = {
	    .path = path, .name = name, .directory_fd = at};
	struct stat found;

	if (path == NULL)
		return -1;
	if (!is_ours(at, name, &found))
		return search_below(search, at, name, path, depth, err);
	file.in_use = is_in_use(at, name, &found);
	return search->visit(search->data, &file, err);
}

/* Takes over the descriptor. */
static int
search_in(const struct search *search, int directory_fd, const char *path,
    int depth, struct error *err)
{
	auto_dir DIR *dir = fdopendir(directory_fd);
	const struct dirent *item;

	if (dir == NULL) {
		error_set_errno(err, errno, _("cannot open '%s'"), path);
		(void)close(directory_fd);
		return -1;
	}
	while ((errno = 0, item = readdir(dir)) != NULL) {
		if (take_name(
			search, dirfd(dir), item->d_name, path, depth, err) < 0)
			return -1;
	}
	if (errno != 0)
		return error_set_errno(err, errno, _("cannot list '%s'"), path);
	return 0;
}

int
left_file_each(const char *directory, left_file_visit *visit, void *data,
    struct error *err)
{
	const struct search search = {.visit = visit, .data = data};
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return search_in(&search, fd, directory, 0, err);
	if (errno == ENOENT || errno == ENOTDIR)
		return error_set(err, ERROR_NO_DIRECTORY,
		    _("the directory '%s' does not exist"), directory);
	return error_set_errno(err, errno, _("cannot open '%s'"), directory);
}

int
left_file_remove(const struct left_file *file, struct error *err)
{
	struct stat found;

	if (!is_ours(file->directory_fd, file->name, &found) ||
	    is_in_use(file->directory_fd, file->name, &found))
		return error_set(err, ERROR_FAILED,
		    _("'%s' is not what it was"), file->path);
	if (unlinkat(file->directory_fd, file->name, 0) < 0)
		return error_set_errno(
		    err, errno, _("cannot delete '%s'"), file->path);
	return 0;
}
