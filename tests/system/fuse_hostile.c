/* fuse_hostile.c - a file system of a container's own that misbehaves
 *
 *	fuse_hostile MOUNT
 *
 * MOUNT lists nothing, but holds every ITEM of the table below; TREE-ITEM, a
 * directory of "first", ITEM and "last", of which the first and the last are
 * honest; and SEEN-ITEM, once ITEM has left a request without an answer. An
 * item that `becomes` something is called ITEM-N: a regular file the first N
 * times that it is looked up, and then that something. */

#include <errno.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuse_raw.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* /dev/zero, in the kernel's numbers: major 1, minor 5. */
#define DEV_ZERO (1U << 8 | 5U)

#define HONEST_BYTES 5000
#define PLENTY ((uint64_t)1 << 20)

struct item {
	const char *name;
	uint32_t mode;
	uint64_t size;	   /* as it says */
	uint64_t holds;	   /* bytes that READ gives */
	uint32_t mute;	   /* requests of this kind are never answered... */
	unsigned int from; /* ...from this one on; 0 is the first */
	uint32_t fails;	   /* requests of this kind fail with EIO */
	uint32_t becomes;
	bool grows;	  /* by a byte, whenever it is looked at */
	bool endless;	  /* a directory whose names do not end... */
	uint32_t entries; /* ...and what they are; 0: gone when looked at */
	bool sink;	  /* a directory, to be written to: holds one file */
	bool forgets;	  /* what is written is taken, and not kept */

	unsigned int asked; /* of the mute kind, so far */
	unsigned int looks[64];
	char made[256]; /* the name of the file in the sink; "" is none */
	uint32_t made_mode;
	uint64_t made_size;
};

static struct item items[] = {
    {"honest", S_IFREG, HONEST_BYTES, HONEST_BYTES},
    {"hang-look", S_IFREG, PLENTY, PLENTY, .mute = FUSE_LOOKUP},
    {"hang-stat", S_IFREG, PLENTY, PLENTY, .mute = FUSE_GETATTR},
    {"hang-stat-again", S_IFREG, PLENTY, PLENTY, FUSE_GETATTR, .from = 2},
    {"hang-open", S_IFREG, PLENTY, PLENTY, .mute = FUSE_OPEN},
    {"hang-read", S_IFREG, PLENTY, PLENTY, .mute = FUSE_READ},
    {"hang-read-again", S_IFREG, PLENTY, PLENTY, FUSE_READ, .from = 3},
    {"hang-read-small", S_IFREG, 4096, 4096, .mute = FUSE_READ},
    {"hang-link", S_IFLNK, 9, 9, .mute = FUSE_READLINK},
    {"hang-open-list", S_IFDIR, .mute = FUSE_OPENDIR},
    {"hang-list", S_IFDIR, .mute = FUSE_READDIR},
    {"hang-list-again", S_IFDIR, .mute = FUSE_READDIR, .from = 2,
	.endless = true, .entries = S_IFIFO},
    {"endless-directories", S_IFDIR, .endless = true, .entries = S_IFDIR},
    {"endless-ghosts", S_IFDIR, .endless = true},
    {"short", S_IFREG, PLENTY, 4096},
    {"short-small", S_IFREG, 8192, 4096},
    {"long", S_IFREG, 10, UINT64_MAX},
    {"liar", S_IFREG, INT64_MAX, UINT64_MAX},
    {"growing", S_IFREG, HONEST_BYTES, UINT64_MAX, .grows = true},
    {"broken", S_IFREG, PLENTY, PLENTY, .fails = FUSE_READ},
    {"fifo", S_IFREG, HONEST_BYTES, HONEST_BYTES, .becomes = S_IFIFO},
    {"device", S_IFREG, HONEST_BYTES, HONEST_BYTES, .becomes = S_IFCHR},
    {"sink", S_IFDIR, .sink = true},
    {"sink-hang-create", S_IFDIR, .sink = true, .mute = FUSE_CREATE},
    {"sink-hang-setattr", S_IFDIR, .sink = true, .mute = FUSE_SETATTR},
    {"sink-hang-write", S_IFDIR, .sink = true, .mute = FUSE_WRITE},
    {"sink-hang-write-again", S_IFDIR, .sink = true, .mute = FUSE_WRITE,
	.from = 4},
    {"sink-hang-close", S_IFDIR, .sink = true, .mute = FUSE_FLUSH},
    {"sink-hang-rename", S_IFDIR, .sink = true, .mute = FUSE_RENAME},
    {"sink-hang-remove", S_IFDIR, .sink = true, .mute = FUSE_UNLINK,
	.fails = FUSE_WRITE},
    {"sink-broken", S_IFDIR, .sink = true, .fails = FUSE_WRITE},
    {"sink-forgets", S_IFDIR, .sink = true, .forgets = true},
};

/* A node's id tells what it is: kind, index of its item, turn of a name that
 * becomes something; above them a number, where names do not end. */
enum kind { ROOT = FUSE_ROOT_ID, ITEM, CHANGED, TREE, ENTRY, MADE };

struct node {
	enum kind kind;
	unsigned int turn;
	struct item *item;
	uint64_t number;
};

struct request {
	const struct fuse_in_header *head;
	const void *argument;
	struct node node;
};

static char content[FUSE_RAW_IO_BYTES]; /* 'x', all of it */

static uint64_t
id_of(const struct node *node)
{
	uint64_t index = (uint64_t)(node->item - items);

	return node->number << 32 | (uint64_t)node->turn << 16 | index << 8 |
	       node->kind;
}

static struct node
node_of(uint64_t id)
{
	size_t index = id >> 8 & 0xff;

	if (index >= COUNT(items))
		return (struct node){.kind = ROOT, .item = items};
	return (struct node){.kind = (enum kind)(id & 0xff),
	    .turn = id >> 16 & 0xff,
	    .item = &items[index],
	    .number = id >> 32};
}

static struct fuse_attr
attributes_of(const struct node *node)
{
	const struct item *item = node->item;
	struct fuse_attr found = {
	    .nlink = 1, .blksize = 4096, .ino = id_of(node), .rdev = DEV_ZERO};

	switch (node->kind) {
	case ROOT:
	case TREE:
		found.mode = S_IFDIR | 0755;
		break;
	case ITEM:
		found.mode = item->mode | (item->mode == S_IFDIR ? 0755 : 0644);
		found.size = item->size;
		break;
	case CHANGED:
		found.mode = item->becomes | 0644;
		break;
	case ENTRY:
		found.mode = item->entries | 0755;
		break;
	case MADE:
		found.mode = item->made_mode;
		found.size = item->made_size;
		break;
	}
	return found;
}

/* "fifo-7" is the item "fifo", at its turn 7. */
static bool
find_item(const char *name, struct node *ret_node)
{
	for (size_t i = 0; i < COUNT(items); i++) {
		size_t length = strlen(items[i].name);
		bool turns = items[i].becomes != 0;

		if (strncmp(name, items[i].name, length) != 0 ||
		    name[length] != (turns ? '-' : '\0'))
			continue;
		*ret_node = (struct node){.kind = ITEM, .item = &items[i]};
		if (turns)
			ret_node->turn =
			    (unsigned int)strtoul(name + length + 1, NULL, 10) %
			    COUNT(items[i].looks);
		return true;
	}
	return false;
}

static bool
is_mute(struct item *item, uint32_t kind)
{
	return item->mute == kind && item->asked++ >= item->from;
}

/* What has a name inside `in`. */
static bool
find(const struct node *in, const char *name, struct node *ret_node)
{
	struct item *item = in->item;

	*ret_node = *in;
	ret_node->kind = ENTRY;
	if (in->kind == ITEM && item->endless) {
		if (item->entries == S_IFDIR)
			ret_node->number = strtoul(name + 1, NULL, 10);
		return item->entries != 0;
	}
	if (in->kind == ITEM && item->sink) {
		ret_node->kind = MADE;
		return *item->made != '\0' && strcmp(name, item->made) == 0;
	}
	if (in->kind == TREE &&
	    (strcmp(name, "first") == 0 || strcmp(name, "last") == 0))
		return find_item("honest", ret_node);
	if (in->kind == ROOT && strncmp(name, "seen-", 5) == 0)
		return find_item(name + 5, ret_node) &&
		       ret_node->item->asked > ret_node->item->from &&
		       find_item("honest", ret_node);
	if (in->kind == ROOT && strncmp(name, "tree-", 5) == 0) {
		bool found = find_item(name + 5, ret_node);

		ret_node->kind = TREE;
		return found;
	}
	return (in->kind == ROOT || in->kind == TREE) &&
	       find_item(name, ret_node);
}

static void
on_lookup(const struct request *request)
{
	struct fuse_entry_out out = {0};
	struct node node;

	if (!find(&request->node, request->argument, &node)) {
		fuse_raw_answer(request->head, ENOENT, NULL, 0);
		return;
	}
	if (node.kind == ITEM && is_mute(node.item, FUSE_LOOKUP))
		return;
	if (node.kind == ITEM && node.item->becomes != 0 &&
	    node.item->looks[node.turn]++ >= node.turn)
		node.kind = CHANGED;
	out.nodeid = id_of(&node);
	out.attr = attributes_of(&node);
	fuse_raw_answer(request->head, 0, &out, sizeof(out));
}

static void
on_getattr(const struct request *request)
{
	struct fuse_attr_out out = {.attr = attributes_of(&request->node)};

	if (request->node.kind == ITEM && request->node.item->grows)
		request->node.item->size++;
	fuse_raw_answer(request->head, 0, &out, sizeof(out));
}

static void
on_setattr(const struct request *request)
{
	const struct fuse_setattr_in *in = request->argument;

	if (request->node.kind == MADE && (in->valid & FATTR_MODE) != 0)
		request->node.item->made_mode = in->mode;
	on_getattr(request);
}

static void
on_open(const struct request *request)
{
	/* Neither the size nor a page of yesterday stands between. */
	struct fuse_open_out out = {.open_flags = FOPEN_DIRECT_IO};

	fuse_raw_answer(request->head, 0, &out, sizeof(out));
}

static void
on_read(const struct request *request)
{
	const struct fuse_read_in *in = request->argument;
	uint64_t holds = request->node.item->holds;
	uint64_t left = in->offset < holds ? holds - in->offset : 0;

	if (left > in->size)
		left = in->size;
	fuse_raw_answer(request->head, 0, content,
	    left < FUSE_RAW_IO_BYTES ? left : FUSE_RAW_IO_BYTES);
}

static void
on_readlink(const struct request *request)
{
	fuse_raw_answer(request->head, 0, "elsewhere", 9);
}

/* The name at a place in a directory; false behind the last. */
static bool
name_at(const struct node *in, uint64_t place, char name[256])
{
	const struct item *item = in->item;

	if (in->kind == ITEM && item->endless)
		return snprintf(name, 256, "n%llu", (unsigned long long)place) >
		       0;
	if (in->kind == ITEM && item->sink)
		return place == 0 && snprintf(name, 256, "%s", item->made) > 0;
	if (in->kind != TREE || place > 2)
		return false;
	if (place != 1)
		(void)snprintf(name, 256, "%s", place == 0 ? "first" : "last");
	else if (item->becomes != 0)
		(void)snprintf(name, 256, "%s-%u", item->name, in->turn);
	else
		(void)snprintf(name, 256, "%s", item->name);
	return true;
}

static void
on_readdir(const struct request *request)
{
	const struct fuse_read_in *in = request->argument;
	static char out[FUSE_RAW_IO_BYTES];
	size_t used = 0;
	char name[256];

	for (uint64_t place = in->offset; name_at(&request->node, place, name);
	     place++) {
		struct fuse_dirent entry = {.ino = place + 1,
		    .off = place + 1,
		    .namelen = (uint32_t)strlen(name)};
		size_t size = FUSE_NAME_OFFSET + entry.namelen;

		if (used + FUSE_DIRENT_ALIGN(size) > in->size ||
		    used + FUSE_DIRENT_ALIGN(size) > sizeof(out))
			break;
		memcpy(out + used, &entry, FUSE_NAME_OFFSET);
		memcpy(out + used + FUSE_NAME_OFFSET, name, entry.namelen);
		used += FUSE_DIRENT_ALIGN(size);
	}
	fuse_raw_answer(request->head, 0, out, used);
}

static void
on_create(const struct request *request)
{
	const struct fuse_create_in *in = request->argument;
	struct item *item = request->node.item;
	struct node node = request->node;
	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} out = {.open.open_flags = FOPEN_DIRECT_IO};

	if (node.kind != ITEM || !item->sink) {
		fuse_raw_answer(request->head, EPERM, NULL, 0);
		return;
	}
	(void)snprintf(
	    item->made, sizeof(item->made), "%s", (const char *)(in + 1));
	item->made_mode = in->mode;
	item->made_size = 0;
	node.kind = MADE;
	out.entry.nodeid = id_of(&node);
	out.entry.attr = attributes_of(&node);
	fuse_raw_answer(request->head, 0, &out, sizeof(out));
}

static void
on_write(const struct request *request)
{
	const struct fuse_write_in *in = request->argument;
	struct fuse_write_out out = {.size = in->size};
	struct item *item = request->node.item;

	if (!item->forgets && in->offset + in->size > item->made_size)
		item->made_size = in->offset + in->size;
	fuse_raw_answer(request->head, 0, &out, sizeof(out));
}

static void
on_rename(const struct request *request)
{
	const struct fuse_rename_in *in = request->argument;
	const char *from = (const char *)(in + 1);

	/* Both names lie in the sink. */
	(void)snprintf(request->node.item->made,
	    sizeof(request->node.item->made), "%s", from + strlen(from) + 1);
	fuse_raw_answer(request->head, 0, NULL, 0);
}

static void
on_unlink(const struct request *request)
{
	*request->node.item->made = '\0';
	fuse_raw_answer(request->head, 0, NULL, 0);
}

static void
on_done(const struct request *request)
{
	fuse_raw_answer(request->head, 0, NULL, 0);
}

/* FORGET and its like want no answer. */
static void
on_notice(const struct request *request)
{
	(void)request;
}

static void (*const handlers[])(const struct request *request) = {
    [FUSE_LOOKUP] = on_lookup,
    [FUSE_GETATTR] = on_getattr,
    [FUSE_SETATTR] = on_setattr,
    [FUSE_READLINK] = on_readlink,
    [FUSE_OPEN] = on_open,
    [FUSE_OPENDIR] = on_open,
    [FUSE_READ] = on_read,
    [FUSE_READDIR] = on_readdir,
    [FUSE_CREATE] = on_create,
    [FUSE_WRITE] = on_write,
    [FUSE_RENAME] = on_rename,
    [FUSE_UNLINK] = on_unlink,
    [FUSE_FLUSH] = on_done,
    [FUSE_FORGET] = on_notice,
    [FUSE_BATCH_FORGET] = on_notice,
    [FUSE_INTERRUPT] = on_notice,
};

static void
handle(const struct fuse_in_header *head, const void *argument)
{
	struct request request = {head, argument, node_of(head->nodeid)};
	struct item *item = request.node.item;
	bool honest = request.node.kind == ROOT || request.node.kind == TREE ||
		      head->opcode == FUSE_LOOKUP;

	if (head->opcode >= COUNT(handlers) || handlers[head->opcode] == NULL)
		fuse_raw_answer(head, ENOSYS, NULL, 0);
	else if (!honest && is_mute(item, head->opcode))
		return;
	else if (!honest && item->fails == head->opcode)
		fuse_raw_answer(head, EIO, NULL, 0);
	else
		handlers[head->opcode](&request);
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "fuse_hostile MOUNT\n");
		return 2;
	}
	memset(content, 'x', sizeof(content));
	return fuse_raw_serve(argv[1], handle);
}
