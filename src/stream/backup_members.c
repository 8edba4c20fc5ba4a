#include "stream/backup_members.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "stream/examine.h"
#include "stream/examine_talk.h"
#include "stream/stream.h"

struct backup_members {
	struct stream *from; /* owned */
	const struct backup_wish *wish;
	struct examine_talk talk;
	struct backup_member member;

	/* Of the tar: pulled, and not yet given. */
	char *buffer;
	size_t start;
	size_t end;

	uint64_t left_bytes;	/* of the member's content */
	size_t left_in_message; /* of these, behind a head that was heard */
	bool ended;
	bool enough;
	struct error failure; /* of a read: nothing more will come */
};

/* More of the tar for the child, as it takes it. */
static int
feed(struct backup_members *members, struct error *err)
{
	ssize_t count;

	if (members->start == members->end) {
		count = stream_read(
		    members->from, members->buffer, STREAM_BUFFER_BYTES, err);
		if (count < 0)
			return -1;
		if (count == 0) {
			examine_talk_end_giving(&members->talk);
			return 0;
		}
		members->start = 0;
		members->end = (size_t)count;
	}
	count = examine_talk_give(&members->talk,
	    members->buffer + members->start, members->end - members->start);
	if (count < 0)
		return 0;
	members->start += (size_t)count;
	return 0;
}

/* The head of what the child says next, besides how much it has taken; until
 * then it is fed. */
static int
hear_head(struct backup_members *members, struct examine_head *head,
    struct error *err)
{
	bool has_words;

	for (;;) {
		bool takes_more =
		    !members->talk.upstream_ended && !members->talk.deaf;

		if (examine_talk_wait(
			&members->talk, takes_more, &has_words, err) < 0)
			return -1;
		if (!has_words) {
			if (feed(members, err) < 0)
				return -1;
			continue;
		}
		if (examine_talk_head(&members->talk, head, err) < 0)
			return -1;
		if (head->kind != EXAMINE_TAKEN)
			return 0;
		if (examine_talk_take(&members->talk, head, err) < 0)
			return -1;
	}
}

/* Members ------------------------------------------------------------------ */

static bool
is_canonical(const char *path)
{
	if (*path != '/')
		return false;
	if (path[1] == '\0')
		return true;
	while (*path == '/') {
		size_t length = strcspn(++path, "/");

		if (length == 0 || strncmp(path, ".", length) == 0 ||
		    (length == 2 && strncmp(path, "..", 2) == 0))
			return false;
		path += length;
	}
	return true;
}

/* Of what was wished for; a way leads to it. */
static bool
is_wanted(const struct backup_member *member, const struct backup_wish *wish)
{
	const char *path;

	if (wish->pattern != NULL)
		return member->pick == PICK_MEMBER;
	if (member->path_index >= wish->path_count)
		return false;
	path = wish->paths[member->path_index];
	if (member->pick == PICK_WAY)
		return member->type == TAR_SYMLINK &&
		       backup_wish_holds(member->path, path);
	return member->pick == PICK_MEMBER &&
	       backup_wish_holds(path, member->path);
}

/* The child may be under somebody's thumb: what it says must at least be what
 * somebody may have put into a backup. */
static bool
is_plausible(const struct backup_members *members)
{
	const struct backup_member *member = &members->member;
	const struct backup_wish *wish = members->wish;

	if (!is_canonical(member->path) || member->type < TAR_FILE ||
	    member->type > TAR_FIFO || !is_wanted(member, wish))
		return false;
	if (member->type == TAR_HARD_LINK && *member->link != '\0')
		return is_canonical(member->link);
	return member->type == TAR_FILE || member->size_bytes == 0;
}

/* Two texts that fill `size` bytes exactly. */
static bool
take_names(struct backup_member *member, const char *names, size_t size)
{
	size_t path = strnlen(names, size) + 1;
	size_t link = path < size ? strnlen(names + path, size - path) + 1 : 0;

	if (path + link != size || path > sizeof(member->path) ||
	    link > sizeof(member->link))
		return false;
	memcpy(member->path, names, path);
	memcpy(member->link, names + path, link);
	return true;
}

static int
take_member(struct backup_members *members, const struct examine_head *head,
    struct error *err)
{
	struct backup_member *member = &members->member;
	struct examine_member fixed;
	char names[2 * TAR_NAME_BYTES];
	size_t size = head->size_bytes - sizeof(fixed);

	if (head->size_bytes <= sizeof(fixed) || size > sizeof(names))
		return examine_talk_refuse(err);
	if (examine_talk_bytes(&members->talk, &fixed, sizeof(fixed), err) <
		0 ||
	    examine_talk_bytes(&members->talk, names, size, err) < 0)
		return -1;
	member->pick = (enum backup_pick)fixed.pick;
	member->path_index = fixed.path_index;
	member->type = (enum tar_type)fixed.type;
	member->mode = fixed.mode & 07777U;
	member->uid = fixed.uid;
	member->gid = fixed.gid;
	member->mtime_s = fixed.mtime_s;
	member->size_bytes = fixed.size_bytes;
	if (!take_names(member, names, size) || !is_plausible(members))
		return examine_talk_refuse(err);
	members->left_bytes =
	    members->wish->content && member->pick == PICK_MEMBER
		? member->size_bytes
		: 0;
	return 1;
}

/* 1 with a member, 0 at the end; before that, what every backup has is taken.
 */
static int
take_message(struct backup_members *members, const struct examine_head *head,
    struct error *err)
{
	if (head->kind == EXAMINE_MEMBER && members->talk.has_index)
		return take_member(members, head, err);
	if (head->kind == EXAMINE_ENOUGH && members->talk.has_index) {
		members->ended = members->enough = true;
		return 0;
	}
	if (examine_talk_take(&members->talk, head, err) < 0)
		return -1;
	members->ended = members->talk.result->complete;
	return 0;
}

/* Content ------------------------------------------------------------------ */

static ssize_t
pull_content(
    struct backup_members *members, void *buf, size_t size, struct error *err)
{
	struct examine_head head;

	if (members->left_bytes == 0)
		return 0;
	if (members->left_in_message == 0) {
		if (hear_head(members, &head, err) < 0)
			return -1;
		if (head.kind == EXAMINE_REFUSED)
			return examine_talk_take(&members->talk, &head, err);
		if (head.kind != EXAMINE_DATA || head.size_bytes == 0 ||
		    head.size_bytes > members->left_bytes)
			return examine_talk_refuse(err);
		members->left_in_message = head.size_bytes;
	}
	if (size > members->left_in_message)
		size = members->left_in_message;
	if (examine_talk_bytes(&members->talk, buf, size, err) < 0)
		return -1;
	members->left_in_message -= size;
	members->left_bytes -= size;
	return (ssize_t)size;
}

/* A file's failure may be passed over; the backup's is there to stay. */
static ssize_t
read_content(
    struct backup_members *members, void *buf, size_t size, struct error *err)
{
	ssize_t got;

	if (error_is_set(&members->failure)) {
		*err = members->failure;
		return -1;
	}
	got = pull_content(members, buf, size, err);
	if (got < 0)
		members->failure = *err;
	return got;
}

static int
skip_content(struct backup_members *members, struct error *err)
{
	char nowhere[4096];

	while (members->left_bytes > 0) {
		if (read_content(members, nowhere, sizeof(nowhere), err) < 0)
			return -1;
	}
	return 0;
}

struct content {
	struct stream base;
	struct backup_members *members;
};

static ssize_t
content_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	return read_content(((struct content *)s)->members, buf, size, err);
}

static void
content_free(struct stream *s)
{
	free(s);
}

static const struct stream_kind content_kind = {
    .name = "member",
    .read = content_read,
    .free = content_free,
};

struct stream *
backup_members_content(struct backup_members *members, struct error *err)
{
	struct content *self = calloc(1, sizeof(*self));

	if (self == NULL) {
		error_set_memory(err);
		return NULL;
	}
	self->base.kind = &content_kind;
	self->members = members;
	return &self->base;
}

/* From one to the next ----------------------------------------------------- */

static int
hear_index(struct backup_members *members, struct error *err)
{
	while (!members->talk.has_index) {
		struct examine_head head;

		if (hear_head(members, &head, err) < 0 ||
		    take_message(members, &head, err) < 0)
			return -1;
	}
	return 0;
}

struct backup_members *
backup_members_new(struct stream *from, const struct backup_wish *wish,
    struct examination *ret_examination, struct error *err)
{
	struct backup_members *members;

	if (from == NULL)
		return NULL;
	*ret_examination = (struct examination){0};
	members = calloc(1, sizeof(*members));
	if (members == NULL) {
		error_set_memory(err);
		stream_free(from);
		return NULL;
	}
	members->from = from;
	members->wish = wish;
	members->talk = (struct examine_talk){
	    .child = {.input = -1, .output = -1}, .result = ret_examination};
	members->buffer = malloc(STREAM_BUFFER_BYTES);
	if (members->buffer == NULL)
		error_set_memory(err);
	if (members->buffer == NULL ||
	    examine_child_start(&members->talk.child, wish, err) < 0 ||
	    hear_index(members, err) < 0) {
		examination_clear(ret_examination);
		backup_members_free(members);
		return NULL;
	}
	return members;
}

void
backup_members_free(struct backup_members *members)
{
	if (members == NULL)
		return;
	examine_child_end(&members->talk.child);
	stream_free(members->from);
	free(members->buffer);
	free(members);
}

int
backup_members_next(struct backup_members *members,
    const struct backup_member **ret_member, struct error *err)
{
	struct examine_head head;
	int found = 0;

	if (error_is_set(&members->failure)) {
		*err = members->failure;
		return -1;
	}
	if (skip_content(members, err) < 0)
		return -1;
	while (!members->ended && found == 0) {
		if (hear_head(members, &head, err) < 0)
			return -1;
		found = take_message(members, &head, err);
	}
	*ret_member = &members->member;
	return found;
}

bool
backup_members_stopped_early(const struct backup_members *members)
{
	return members->enough;
}
