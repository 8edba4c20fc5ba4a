#include "store/local_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "store/local_below.h"
#include "store/local_file.h"
#include "stream/file_batch.h"
#include "stream/stream.h"

struct local_tree *
local_tree_open(const char *path, struct error *err)
{
	struct local_tree *tree = calloc(1, sizeof(*tree));

	if (tree == NULL) {
		error_set_memory(err);
		return NULL;
	}
	tree->name = text_copy(path, strlen(path), err);
	tree->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->fd < 0 && tree->name != NULL)
		error_set_errno(err, errno, _("cannot open '%s'"), path);
	if (tree->fd < 0 || tree->name == NULL) {
		local_tree_free(tree);
		return NULL;
	}
	return tree;
}

void
local_tree_free(struct local_tree *tree)
{
	if (tree == NULL)
		return;
	if (tree->fd >= 0)
		(void)close(tree->fd);
	free(tree->name);
	free(tree);
}

static struct file_facts
facts_of(const struct stat *found)
{
	return (struct file_facts){
	    .mode = found->st_mode,
	    .uid = found->st_uid,
	    .gid = found->st_gid,
	    .size_bytes = (uint64_t)found->st_size,
	    .atime_s = found->st_atim.tv_sec,
	    .mtime_s = found->st_mtim.tv_sec,
	};
}

static bool
is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* All entries of an open directory. */
static int
list_open(DIR *open, const struct local_tree *tree,
    struct batch_directory *directory, const struct local_taker *taker,
    struct error *err)
{
	struct dirent *entry;

	while (errno = 0, (entry = readdir(open)) != NULL) {
		struct file_facts facts;
		struct stat found;

		if (is_dots(entry->d_name))
			continue;
		if (fstatat(dirfd(open), entry->d_name, &found,
			AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno != ENOENT)
				(void)local_fail(tree, directory->from,
				    _("cannot list"), &directory->failure);
			continue;
		}
		facts = facts_of(&found);
		if (interrupt_check(err) < 0 ||
		    taker->take(
			taker->data, directory, entry->d_name, &facts, err) < 0)
			return -1;
	}
	if (errno != 0 && !error_is_set(&directory->failure))
		(void)local_fail(tree, directory->from, _("cannot list"),
		    &directory->failure);
	return 0;
}

int
local_tree_list(struct local_tree *tree, struct batch_directory *directories,
    size_t count, const struct local_taker *taker, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		struct batch_directory *directory = &directories[i];
		int fd;
		DIR *open;
		int result;

		if (error_is_set(&directory->failure))
			continue;
		fd = local_open_below(
		    tree, directory->from, O_RDONLY | O_DIRECTORY);
		open = fd >= 0 ? fdopendir(fd) : NULL;
		if (open == NULL) {
			(void)local_fail(tree, directory->from,
			    _("cannot open"), &directory->failure);
			if (fd >= 0)
				(void)close(fd);
			continue;
		}
		result = list_open(open, tree, directory, taker, err);
		(void)closedir(open);
		if (result < 0)
			return -1;
	}
	return 0;
}

static void
load_link(struct local_tree *tree, struct batch_file *file)
{
	char target[PATH_MAX];
	const char *name;
	auto_close int parent = local_open_parent(tree, file->from, &name);
	ssize_t size =
	    parent < 0 ? -1 : readlinkat(parent, name, target, sizeof(target));

	if (size < 0) {
		(void)local_fail(tree, file->from, _("cannot read the link"),
		    &file->failure);
		return;
	}
	if (batch_file_reserve(file, (size_t)size) == 0)
		memcpy(file->content, target, (size_t)size);
}

/* The name for messages lives as long as the stream: in the file itself. */
struct stream *
local_tree_read(
    struct local_tree *tree, struct batch_file *file, struct error *err)
{
	struct local_attributes found;
	int fd = local_open_below(tree, file->from, O_RDONLY | O_NONBLOCK);

	if (fd < 0) {
		(void)local_fail(tree, file->from, _("cannot open"), err);
		return NULL;
	}
	return local_file_open_fd(fd, file->from, &found, &file->grew, err);
}

/* As much as was listed; what has grown since stays. */
static void
load_file(struct local_tree *tree, struct batch_file *file)
{
	auto_stream struct stream *body =
	    local_tree_read(tree, file, &file->failure);
	size_t size = (size_t)file->facts.size_bytes;
	ssize_t got;
	char beyond;

	if (body == NULL || batch_file_reserve(file, size) < 0)
		return;
	got = size > 0
		  ? stream_read_full(body, file->content, size, &file->failure)
		  : 0;
	if (got < 0)
		return;
	if ((size_t)got < size) {
		error_set(&file->failure, ERROR_FAILED,
		    _("'%s' shrank while it was read"), file->from);
		return;
	}
	/* Its end is a promise; or it was longer already when it was opened. */
	if (stream_read(body, &beyond, 1, &file->failure) > 0)
		file->grew = true;
}

int
local_tree_load(
    struct local_tree *tree, struct file_batch *batch, struct error *err)
{
	return local_each(tree, batch, load_link, load_file, err);
}

static void
look(const struct local_tree *tree, struct batch_file *file)
{
	const char *name;
	auto_close int parent = local_open_parent(tree, file->to, &name);
	struct stat found;

	file->look = false;
	if (parent >= 0 &&
	    fstatat(parent, name, &found, AT_SYMLINK_NOFOLLOW) == 0)
		file->there = facts_of(&found);
	else if (errno != ENOENT)
		(void)local_fail(
		    tree, file->to, _("cannot look at"), &file->failure);
}

int
local_tree_look(
    struct local_tree *tree, struct file_batch *batch, struct error *err)
{
	(void)err;
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->files[i].look &&
		    batch_file_is_wanted(&batch->files[i]))
			look(tree, &batch->files[i]);
	}
	return 0;
}

static void
make_one(const struct local_tree *tree, struct batch_directory *directory)
{
	const char *name;
	auto_close int parent = local_open_parent(tree, directory->to, &name);
	struct stat found;

	/* Its own mode already: a run that goes on with the tree finds it
	 * there, and leaves it as it is. Ours to write in, whatever that mode
	 * says. */
	if (parent >= 0 &&
	    mkdirat(parent, name, (directory->mode & 0777U) | 0700U) == 0)
		return;
	if (parent < 0 || errno != EEXIST ||
	    fstatat(parent, name, &found, AT_SYMLINK_NOFOLLOW) < 0) {
		(void)local_fail(tree, directory->to,
		    _("cannot make the directory"), &directory->failure);
		return;
	}
	directory->existed = S_ISDIR(found.st_mode);
	if (!directory->existed)
		error_set(&directory->failure, ERROR_EXISTS,
		    _("'%s/%s' is not a directory"), tree->name, directory->to);
}

int
local_tree_make(struct local_tree *tree, struct batch_directory *directories,
    size_t count, struct error *err)
{
	(void)err;
	for (size_t i = 0; i < count; i++) {
		if (!error_is_set(&directories[i].failure))
			make_one(tree, &directories[i]);
	}
	return 0;
}

static void
finish_one(const struct local_tree *tree, struct batch_directory *directory)
{
	struct timespec times[2] = {
	    {.tv_nsec = UTIME_OMIT}, {.tv_sec = directory->facts.mtime_s}};
	auto_close int fd =
	    local_open_below(tree, directory->to, O_RDONLY | O_DIRECTORY);

	/* -1 leaves it to chown(2). */
	if ((directory->uid >= 0 || directory->gid >= 0) && fd >= 0 &&
	    fchown(fd, (uid_t)directory->uid, (gid_t)directory->gid) < 0) {
		(void)local_fail(tree, directory->to,
		    _("cannot give an owner to"), &directory->failure);
		return;
	}
	if (fd < 0 || (fchmod(fd, directory->mode) < 0 && errno != EPERM) ||
	    futimens(fd, times) < 0)
		(void)local_fail(tree, directory->to, _("cannot write"),
		    &directory->failure);
}

int
local_tree_finish(struct local_tree *tree, struct batch_directory *directories,
    size_t count, struct error *err)
{
	(void)err;
	for (size_t i = 0; i < count; i++) {
		if (!error_is_set(&directories[i].failure) &&
		    !directories[i].existed)
			finish_one(tree, &directories[i]);
	}
	return 0;
}
