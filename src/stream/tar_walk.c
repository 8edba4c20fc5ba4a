#include "stream/tar_walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/zeros.h"
#include "stream/stream.h"

/* Incus's own tars end with two zero blocks, tar(1) fills up to 10 KiB, or to
 * what -b asks: zeros without an end are no padding. */
#define PADDING_MAX_BYTES (1024 * 1024)

struct tar_walk {
	struct stream *from; /* borrowed */
	unsigned char *buffer;
	size_t start;
	size_t end;
	uint64_t pulled_bytes;
	uint64_t left_bytes; /* of the member's data */
	size_t left_padding; /* behind it */
	struct tar_pax pax;  /* of the member that comes */
	char *records;	     /* of the last pax header */
	size_t records_capacity;
};

struct tar_walk *
tar_walk_new(struct stream *from, struct error *err)
{
	struct tar_walk *walk = calloc(1, sizeof(*walk));

	if (walk != NULL)
		walk->buffer = malloc(STREAM_BUFFER_BYTES);
	if (walk == NULL || walk->buffer == NULL) {
		error_set_memory(err);
		free(walk);
		return NULL;
	}
	walk->from = from;
	return walk;
}

void
tar_walk_free(struct tar_walk *walk)
{
	if (walk == NULL)
		return;
	free(walk->records);
	free(walk->buffer);
	free(walk);
}

uint64_t
tar_walk_bytes(const struct tar_walk *walk)
{
	return walk->pulled_bytes - (walk->end - walk->start);
}

static int
refuse_cut(struct error *err)
{
	return error_set(err, ERROR_DAMAGED,
	    _("the tar is cut short: its end marker is missing"));
}

/* Something is in the buffer: 1; 0 at the end of the stream. */
static int
fill(struct tar_walk *walk, struct error *err)
{
	ssize_t got;

	if (walk->start < walk->end)
		return 1;
	got = stream_read(walk->from, walk->buffer, STREAM_BUFFER_BYTES, err);
	if (got <= 0)
		return (int)got;
	walk->start = 0;
	walk->end = (size_t)got;
	walk->pulled_bytes += (uint64_t)got;
	return 1;
}

/* Exactly `size` bytes; to nowhere where `to` is NULL. */
static int
take(struct tar_walk *walk, void *to, uint64_t size, struct error *err)
{
	unsigned char *next = to;

	while (size > 0) {
		int filled = fill(walk, err);
		size_t count = walk->end - walk->start;

		if (filled < 0)
			return -1;
		if (filled == 0)
			return refuse_cut(err);
		if (count > size)
			count = (size_t)size;
		if (next != NULL) {
			memcpy(next, walk->buffer + walk->start, count);
			next += count;
		}
		walk->start += count;
		size -= count;
	}
	return 0;
}

static size_t
padding_of(uint64_t size)
{
	return (size_t)(-size % TAR_BLOCK_BYTES);
}

/* What fills up the last block is zero. */
static int
take_padding(struct tar_walk *walk, size_t size, struct error *err)
{
	unsigned char padding[TAR_BLOCK_BYTES];

	if (take(walk, padding, size, err) < 0)
		return -1;
	if (!zeros_only(padding, size))
		return error_set(err, ERROR_UNSAFE,
		    _("Incus does not write such a tar: something stands "
		      "behind a member"));
	return 0;
}

static int
skip_member(struct tar_walk *walk, struct error *err)
{
	uint64_t left = walk->left_bytes;

	walk->left_bytes = 0;
	if (take(walk, NULL, left, err) < 0 ||
	    take_padding(walk, walk->left_padding, err) < 0)
		return -1;
	walk->left_padding = 0;
	return 0;
}

/* The first zero block was read. */
static int
take_end(struct tar_walk *walk, struct error *err)
{
	unsigned char second[TAR_BLOCK_BYTES];
	uint64_t end_bytes;
	int filled;

	if (take(walk, second, sizeof(second), err) < 0)
		return -1;
	end_bytes = tar_walk_bytes(walk);
	if (!zeros_only(second, sizeof(second)))
		return error_set(err, ERROR_DAMAGED,
		    _("there is data after the end of the tar"));
	while ((filled = fill(walk, err)) > 0) {
		if (!zeros_only(
			walk->buffer + walk->start, walk->end - walk->start))
			return error_set(err, ERROR_DAMAGED,
			    _("there is data after the end of the tar"));
		walk->start = walk->end;
		if (walk->pulled_bytes > end_bytes + PADDING_MAX_BYTES)
			return error_set(err, ERROR_DAMAGED,
			    _("the padding behind the end of the tar does not "
			      "end"));
	}
	return filled;
}

/* 1 with a header, 0 at the end. */
static int
take_header(
    struct tar_walk *walk, struct tar_header *ret_header, struct error *err)
{
	unsigned char block[TAR_BLOCK_BYTES];

	if (take(walk, block, sizeof(block), err) < 0)
		return -1;
	if (zeros_only(block, sizeof(block)))
		return take_end(walk, err);
	return tar_header_read(block, ret_header, err) < 0 ? -1 : 1;
}

static int
make_room(struct tar_walk *walk, size_t size, struct error *err)
{
	char *larger = NULL;

	if (size <= walk->records_capacity)
		return 0;
	larger = realloc(walk->records, size);
	if (larger == NULL)
		return error_set_memory(err);
	walk->records = larger;
	walk->records_capacity = size;
	return 0;
}

static int
take_pax(struct tar_walk *walk, uint64_t size, struct error *err)
{
	if (size == 0 || size > TAR_PAX_MAX_BYTES)
		return error_set(err, ERROR_UNSAFE,
		    _("Incus does not write such a pax header: %s"),
		    _("its size"));
	if (make_room(walk, (size_t)size, err) < 0)
		return -1;
	if (take(walk, walk->records, size, err) < 0 ||
	    take_padding(walk, padding_of(size), err) < 0)
		return -1;
	return tar_pax_read(walk->records, (size_t)size, &walk->pax, err);
}

/* A pax size is for what the field of the header cannot hold, and is then zero
 * there. Only files have a size. */
static int
take_size(const struct tar_walk *walk, const struct tar_header *header,
    struct tar_member *member, struct error *err)
{
	bool both = walk->pax.has_size && header->size_bytes != 0;

	member->size_bytes =
	    walk->pax.has_size ? walk->pax.size_bytes : header->size_bytes;
	if (both || (header->type != TAR_FILE && member->size_bytes != 0))
		return error_set(err, ERROR_UNSAFE,
		    _("'%s' has a size that two readers would understand in "
		      "two ways"),
		    member->name);
	return 0;
}

static int
take_link(const struct tar_walk *walk, const struct tar_header *header,
    struct tar_member *member, struct error *err)
{
	const char *link =
	    walk->pax.link[0] != '\0' ? walk->pax.link : header->link;
	bool is_link =
	    header->type == TAR_HARD_LINK || header->type == TAR_SYMLINK;

	if (is_link != (*link != '\0'))
		return error_set(err, ERROR_UNSAFE,
		    is_link ? _("'%s' is a link to nothing")
			    : _("'%s' is no link, and names a target"),
		    member->name);
	memcpy(member->link, link, strlen(link) + 1);
	return 0;
}

static void
take_claims(const struct tar_walk *walk, const struct tar_header *header,
    struct tar_member *member)
{
	const struct tar_pax *pax = &walk->pax;

	member->mode = header->mode;
	member->uid = pax->has_uid ? pax->uid : header->uid;
	member->gid = pax->has_gid ? pax->gid : header->gid;
	member->mtime_s = pax->has_mtime ? pax->mtime_s : header->mtime_s;
}

static int
compose(struct tar_walk *walk, const struct tar_header *header,
    struct tar_member *member, struct error *err)
{
	const char *name =
	    walk->pax.path[0] != '\0' ? walk->pax.path : header->name;
	size_t length = strlen(name);

	if (header->type == TAR_DIRECTORY && length > 1 &&
	    name[length - 1] == '/')
		length--;
	memcpy(member->name, name, length);
	member->name[length] = '\0';
	member->type = header->type;
	take_claims(walk, header, member);
	return take_size(walk, header, member, err) < 0
		   ? -1
		   : take_link(walk, header, member, err);
}

int
tar_walk_next(
    struct tar_walk *walk, struct tar_member *ret_member, struct error *err)
{
	struct tar_header header = {0};
	int found;

	if (skip_member(walk, err) < 0)
		return -1;
	tar_pax_clear(&walk->pax);

	found = take_header(walk, &header, err);
	if (found == 1 && header.type == TAR_PAX) {
		if (take_pax(walk, header.size_bytes, err) < 0)
			return -1;
		found = take_header(walk, &header, err);
		if (found == 0 || (found == 1 && header.type == TAR_PAX))
			return error_set(err, ERROR_UNSAFE,
			    _("Incus does not write such a pax header: %s"),
			    _("no member follows it"));
	}
	if (found <= 0)
		return found;
	if (compose(walk, &header, ret_member, err) < 0)
		return -1;
	walk->left_bytes = ret_member->size_bytes;
	walk->left_padding = padding_of(ret_member->size_bytes);
	return 1;
}

ssize_t
tar_walk_read(struct tar_walk *walk, void *buf, size_t size, struct error *err)
{
	size_t count;
	int filled;

	if (walk->left_bytes == 0)
		return 0;
	filled = fill(walk, err);
	if (filled < 0)
		return -1;
	if (filled == 0)
		return refuse_cut(err);
	count = walk->end - walk->start;
	if (count > walk->left_bytes)
		count = (size_t)walk->left_bytes;
	if (count > size)
		count = size;
	memcpy(buf, walk->buffer + walk->start, count);
	walk->start += count;
	walk->left_bytes -= count;
	return (ssize_t)count;
}
