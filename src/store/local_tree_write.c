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

/* Under a random name first, so that a link that is there is replaced at once.
 */
static int
make_link(const struct local_tree *tree, int parent, const char *name,
    struct batch_file *file)
{
	char random[33];
	char temporary[64];
	int result;

	if (text_random_hex(random, 32, &file->failure) < 0)
		return -1;
	(void)snprintf(
	    temporary, sizeof(temporary), ".anklume-%s.part", random);
	if (symlinkat((const char *)file->content, parent, temporary) < 0)
		return local_fail(
		    tree, file->to, _("cannot write"), &file->failure);
	result = file->exclusive ? renameat2(parent, temporary, parent, name,
				       RENAME_NOREPLACE)
				 : renameat(parent, temporary, parent, name);
	if (result == 0)
		return 0;
	(void)local_fail(tree, file->to, _("cannot write"), &file->failure);
	(void)unlinkat(parent, temporary, 0);
	return -1;
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
local_tree_sync(struct local_tree *tree, struct error *err)
{
	if (syncfs(tree->fd) == 0)
		return 0;
	return local_fail(tree, ".", _("cannot write"), err);
}
