#include "stream/examine_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/sandbox.h"
#include "base/wait.h"
#include "stream/backup_check.h"
#include "stream/backup_index.h"
#include "stream/backup_wish.h"
#include "stream/stream.h"
#include "stream/tar_walk.h"

/* The child --------------------------------------------------------------- */

/* Whoever hears it has gone when this fails. */
static void
say(int fd, enum examine_kind kind, const void *message, size_t size)
{
	struct {
		struct examine_head head;
		char message[64];
	} start = {.head = {kind, (uint32_t)size}};
	size_t begun =
	    size < sizeof(start.message) ? size : sizeof(start.message);
	struct error err = {0};

	/* Most are short, and written at once. */
	memcpy(start.message, message, begun);
	if (wait_write_all(fd, &start, sizeof(start.head) + begun, "", &err) <
		0 ||
	    wait_write_all(
		fd, (const char *)message + begun, size - begun, "", &err) < 0)
		_exit(1);
}

struct report {
	int fd;
	const struct backup_wish *wish; /* NULL: nothing is wanted */
	struct backup_picker *picker;
};

/* The tar, as it is shown. */
struct shown {
	struct stream base;
	struct show_ring_view view;
};

static void
on_taken(void *data, uint64_t taken_bytes)
{
	const struct report *report = data;

	say(report->fd, EXAMINE_TAKEN, &taken_bytes, sizeof(taken_bytes));
}

static ssize_t
shown_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	return show_ring_take(&((struct shown *)s)->view, buf, size, err);
}

/* The process ends before it. */
static void
shown_free(struct stream *s)
{
	(void)s;
}

static const struct stream_kind shown_kind = {
    .name = "",
    .read = shown_read,
    .free = shown_free,
};

static int
on_index(void *data, const json_t *root, struct error *err)
{
	struct report *report = data;
	auto_free char *text = json_print(root, false, err);
	struct backup_index index = {0};

	if (text == NULL)
		return -1;
	say(report->fd, EXAMINE_INDEX, text, strlen(text));
	if (report->wish == NULL)
		return 0;
	if (backup_index_read(
		json_incref((json_t *)(uintptr_t)root), &index, err) < 0)
		return -1;
	report->picker = backup_picker_new(report->wish, &index, err);
	backup_index_clear(&index);
	return report->picker != NULL ? 0 : -1;
}

/* A hard link's target is told as its path; "" where it has none. */
static const char *
link_path(const struct report *report, const struct tar_member *member)
{
	const char *path;

	if (member->type != TAR_HARD_LINK)
		return member->link;
	path = backup_picker_path(report->picker, member->link);
	return path != NULL ? path : "";
}

static void
tell_member(const struct report *report, const struct tar_member *member,
    enum backup_pick pick, size_t path_index)
{
	const char *path = backup_picker_path(report->picker, member->name);
	const char *link = link_path(report, member);
	size_t path_size = strlen(path) + 1;
	size_t link_size = strlen(link) + 1;
	struct {
		struct examine_member fixed;
		char names[2 * TAR_NAME_BYTES];
	} message;

	message.fixed = (struct examine_member){
	    .pick = pick,
	    .path_index = (uint32_t)path_index,
	    .type = member->type,
	    .mode = member->mode,
	    .uid = member->uid,
	    .gid = member->gid,
	    .mtime_s = member->mtime_s,
	    .size_bytes = member->size_bytes,
	};
	memcpy(message.names, path, path_size);
	memcpy(message.names + path_size, link, link_size);
	say(report->fd, EXAMINE_MEMBER, &message,
	    sizeof(message.fixed) + path_size + link_size);
}

static int
tell_content(
    const struct report *report, struct tar_walk *walk, struct error *err)
{
	static char buffer[STREAM_BUFFER_BYTES];
	ssize_t got;

	while ((got = tar_walk_read(walk, buffer, sizeof(buffer), err)) > 0)
		say(report->fd, EXAMINE_DATA, buffer, (size_t)got);
	return got < 0 ? -1 : 0;
}

static int
on_member(void *data, const struct tar_member *member, struct tar_walk *walk,
    struct error *err)
{
	const struct report *report = data;
	size_t path_index;
	enum backup_pick pick =
	    backup_picker_take(report->picker, member, &path_index);

	if (pick != PICK_NOTHING)
		tell_member(report, member, pick, path_index);
	if (pick == PICK_MEMBER && member->type == TAR_FILE &&
	    report->wish->content && tell_content(report, walk, err) < 0)
		return -1;
	return backup_picker_is_done(report->picker) ? 1 : 0;
}

/* Ends without what the program does at its end, which is its parent's. */
_Noreturn static void
examine(const struct show_ring *ring, int input, int output,
    const struct backup_wish *wish)
{
	struct sandbox held = sandbox_enter(input, output);
	struct report report = {.fd = output, .wish = wish};
	struct backup_listener listener = {
	    .data = &report,
	    .on_index = on_index,
	    .on_member = wish != NULL ? on_member : NULL,
	};
	struct backup_counts counts = {0};
	struct error err = {0};
	struct shown tar = {
	    .base = {.kind = &shown_kind},
	    .view = {.bytes = ring->bytes,
		.fd = input,
		.on_taken = on_taken,
		.data = &report},
	};
	int status;

	say(output, EXAMINE_HELD, &held, sizeof(held));
	status = backup_check(&tar.base, &listener, &counts, &err);
	if (status == 0)
		say(output, EXAMINE_DONE, &counts, sizeof(counts));
	else if (status > 0)
		say(output, EXAMINE_ENOUGH, "", 0);
	else
		say(output, EXAMINE_REFUSED, &err, sizeof(err));
	_exit(0);
}

/* Where one language is turned into the letters of another, tables are loaded
 * at the first text: the child can load none. */
static void
load_translations(void)
{
	(void)_("this is not a backup made by Incus");
}

/* The parent -------------------------------------------------------------- */

static int
make_pipe(int fds[2], struct error *err)
{
	return pipe2(fds, O_CLOEXEC) < 0 ? error_set_errno(err, errno, "pipe")
					 : 0;
}

/* A signal of a terminal is for the parent, which then ends the child. */
_Noreturn static void
be_child(pid_t parent, const struct show_ring *ring, int input, int output,
    const struct backup_wish *wish)
{
	interrupt_ignore();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	examine(ring, input, output, wish);
}

int
examine_child_start(struct examine_child *ret_child,
    const struct backup_wish *wish, struct error *err)
{
	auto_close int sizes_out = -1;
	auto_close int words_in = -1;
	int sizes[2];
	int words[2];
	pid_t self = getpid();
	pid_t pid;

	load_translations();
	if (show_ring_open(&ret_child->shown, err) < 0 ||
	    make_pipe(sizes, err) < 0)
		return -1;
	sizes_out = sizes[0];
	ret_child->input = sizes[1];
	if (make_pipe(words, err) < 0)
		return -1;
	ret_child->output = words[0];
	words_in = words[1];

	pid = fork();
	if (pid < 0)
		return error_set_errno(err, errno, "fork");
	if (pid == 0)
		be_child(self, &ret_child->shown, sizes_out, words_in, wish);
	ret_child->pid = pid;
	if (fcntl(ret_child->input, F_SETFL, O_NONBLOCK) < 0)
		return error_set_errno(err, errno, "fcntl");
	return 0;
}

void
examine_child_end(struct examine_child *child)
{
	if (child->input >= 0)
		(void)close(child->input);
	if (child->output >= 0)
		(void)close(child->output);
	if (child->pid > 0) {
		(void)kill(child->pid, SIGKILL);
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	show_ring_close(&child->shown);
	*child = (struct examine_child){.input = -1, .output = -1};
}
