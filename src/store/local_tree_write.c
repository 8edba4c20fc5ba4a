#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/local_below.h"
#include "store/local_body.h"
#include "store/local_tree.h"
#include "store/publication.h"
#include "stream/digest.h"
#include "stream/file_batch.h"
#include "stream/stream.h"

/* Begin a file beside the target. */
static struct publication *
begin(const struct local_tree *tree, const char *path, const char **ret_name,
    struct error *err)
{
	int parent = local_open_parent(tree, path, ret_name);

	if (parent < 0) {
		(void)local_fail(tree, path, _("cannot write"), err);
		return NULL;
	}
	return publication_new_in(parent, tree->name, err);
}

/* -1 leaves it to chown(2). A file that is written in place need not be the
 * user's own: what stays is not asked for. */
static bool
owner_changes(const struct batch_file *file)
{
	if (file->in_place)
		return file->uid != file->there.uid ||
		       file->gid != file->there.gid;
	return file->uid >= 0 || file->gid >= 0;
}

/* Owner first: chown(2) clears setuid. */
static int
set_attributes(const struct local_tree *tree, int fd,
    const struct batch_file *file, struct error *err)
{
	struct timespec times[2] = {
	    {.tv_nsec = UTIME_OMIT}, {.tv_sec = file->facts.mtime_s}};

	if (owner_changes(file) &&
	    fchown(fd, (uid_t)file->uid, (gid_t)file->gid) < 0)
		return local_fail(
		    tree, file->to, _("cannot give an owner to"), err);
	if (publication_set_mode(fd, file->mode, file->to, err) < 0)
		return -1;
	if (futimens(fd, times) < 0 && !(file->in_place && errno == EPERM))
		return local_fail(tree, file->to, _("cannot write"), err);
	return 0;
}

static int
check_content(int fd, const struct batch_file *file, struct error *err)
{
	struct digest sent = {.complete = true, .size_bytes = file->size_bytes};

	if (!file->verify)
		return 0;
	if (digest_bytes(file->content, file->size_bytes, sent.sha256, err) < 0)
		return -1;
	return local_body_check(fd, &sent, file->to, err);
}

static void
store_file(struct local_tree *tree, struct batch_file *file)
{
	struct error *failure = &file->failure;
	const char *name;
	auto_publication struct publication *target =
	    begin(tree, file->to, &name, failure);
	int fd = target != NULL ? publication_fd(target) : -1;

	if (target == NULL ||
	    local_body_write(
		fd, file->content, file->size_bytes, file->to, failure) < 0 ||
	    check_content(fd, file, failure) < 0 ||
	    set_attributes(tree, fd, file, failure) < 0)
		return;
	(void)publication_name(target, name, !file->exclusive, &file->failure);
}

#define TEMPORARY_BYTES 64

static int
choose_temporary(char buf[TEMPORARY_BYTES], struct error *err)
{
	char random[33];

	if (text_random_hex(random, 32, err) < 0)
		return -1;
	(void)snprintf(buf, TEMPORARY_BYTES, ".anklume-%s.part", random);
	return 0;
}

/* A name for what has a random one. */
struct naming {
	int parent; /* of both */
	char temporary[TEMPORARY_BYTES];
	const char *name;
	const char *path; /* for messages */
	bool exclusive;
};

/* What was there is replaced at once. */
static int
give_name(const struct local_tree *tree, const struct naming *naming,
    struct error *err)
{
	int parent = naming->parent;
	int result =
	    naming->exclusive
		? renameat2(parent, naming->temporary, parent, naming->name,
		      RENAME_NOREPLACE)
		: renameat(parent, naming->temporary, parent, naming->name);

	if (result < 0)
		(void)local_fail(tree, naming->path, _("cannot write"), err);
	/* Of two names of one file rename(2) removes none. */
	(void)unlinkat(parent, naming->temporary, 0);
	return result;
}

static int
make_link(const struct local_tree *tree, int parent, const char *name,
    struct batch_file *file)
{
	struct naming naming = {.parent = parent,
	    .name = name,
	    .path = file->to,
	    .exclusive = file->exclusive};

	if (choose_temporary(naming.temporary, &file->failure) < 0)
		return -1;
	if (symlinkat((const char *)file->content, parent, naming.temporary) <
	    0)
		return local_fail(
		    tree, file->to, _("cannot write"), &file->failure);
	return give_name(tree, &naming, &file->failure);
}

static void
store_link(struct local_tree *tree, struct batch_file *file)
{
	const char *name;
	auto_close int parent = local_open_parent(tree, file->to, &name);

	if (parent < 0)
		(void)local_fail(
		    tree, file->to, _("cannot write"), &file->failure);
	else
		(void)make_link(tree, parent, name, file);
}

int
local_tree_store(
    struct local_tree *tree, struct file_batch *batch, struct error *err)
{
	return local_each(tree, batch, store_link, store_file, err);
}

static int
write_in_place(struct local_tree *tree, const struct batch_file *file,
    struct stream *body, const struct digest *sent, struct error *err)
{
	auto_close int fd =
	    local_open_below(tree, file->to, O_RDWR | O_NONBLOCK);
	uint64_t written = 0;

	if (fd < 0)
		return local_fail(tree, file->to, _("cannot write"), err);
	if (local_body_replace(fd, body, sent, file->to, &written, err) < 0)
		return -1;
	return set_attributes(tree, fd, file, err);
}

int
local_tree_write(struct local_tree *tree, struct batch_file *file,
    struct stream *body, const struct digest *sent, struct error *err)
{
	const char *name;
	auto_publication struct publication *target = NULL;
	uint64_t written = 0;
	int fd;

	if (file->in_place)
		return write_in_place(tree, file, body, sent, err);
	target = begin(tree, file->to, &name, err);
	if (target == NULL)
		return -1;
	fd = publication_fd(target);
	if (local_body_stream(fd, body, file->to, &written, err) < 0 ||
	    local_body_check(fd, sent, file->to, err) < 0 ||
	    set_attributes(tree, fd, file, err) < 0)
		return -1;
	return publication_name(target, name, !file->exclusive, err);
}

int
local_tree_link(struct local_tree *tree, const char *from, const char *to,
    struct error *err)
{
	const char *from_name;
	struct naming naming = {.path = to};
	auto_close int from_parent = local_open_parent(tree, from, &from_name);
	auto_close int to_parent = local_open_parent(tree, to, &naming.name);

	if (from_parent < 0 || to_parent < 0)
		return local_fail(tree, to, _("cannot write"), err);
	naming.parent = to_parent;
	if (choose_temporary(naming.temporary, err) < 0)
		return -1;
	if (linkat(from_parent, from_name, to_parent, naming.temporary, 0) < 0)
		return local_fail(tree, to, _("cannot write"), err);
	return give_name(tree, &naming, err);
}

int
local_tree_sync(struct local_tree *tree, struct error *err)
{
	if (syncfs(tree->fd) == 0)
		return 0;
	return local_fail(tree, ".", _("cannot write"), err);
}
