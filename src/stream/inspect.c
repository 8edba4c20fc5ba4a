#include "stream/inspect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/i18n.h"
#include "stream/libarchive.h"
#include "stream/stream.h"

#define TAR_BLOCK_BYTES 512U
#define TAR_END_BYTES (2 * TAR_BLOCK_BYTES)

/* libarchive looks ahead by whole blocks while it reads a header; Incus's own
 * headers, pax records included, stay below one buffer. */
#define QUEUE_MAX_BYTES (16 * STREAM_BUFFER_BYTES)

/* Incus's own tars end with two zero blocks, tar(1) fills up to 10 KiB, or to
 * what -b asks: zeros without an end are no padding. */
#define PADDING_MAX_BYTES (1024 * 1024)

#define INDEX_NAME "backup/index.yaml"

enum phase {
	PHASE_HEADER, /* the next member's header is due */
	PHASE_DATA,   /* inside a member */
	PHASE_TAIL,   /* behind the last member: only zeros may come */
	PHASE_END,
};

struct inspect {
	struct stream base;
	struct inspection *result;
	struct libarchive library;
	struct archive *archive;
	enum phase phase;
	bool in_index;
	size_t index_room; /* what the header of the index announced */

	/* Bytes that libarchive has seen and the reader has not. */
	char *queue;
	size_t queue_start;
	size_t queue_end;
	size_t queue_size;

	uint64_t pulled_bytes; /* from upstream */
	uint64_t
	    last_nonzero_end; /* offset behind the last byte that is not 0 */
	uint64_t members_end; /* offset behind the last member's padding */
	struct error *err;    /* of the read going on */
};

void
inspection_clear(struct inspection *inspection)
{
	free(inspection->index_yaml);
	*inspection = (struct inspection){0};
}

static int
queue_reserve(struct inspect *self, struct error *err)
{
	char *grown;
	size_t wanted = self->queue_end + STREAM_BUFFER_BYTES;

	if (self->queue_start == self->queue_end) {
		self->queue_start = self->queue_end = 0;
		wanted = STREAM_BUFFER_BYTES;
	}
	if (wanted <= self->queue_size)
		return 0;
	if (wanted > QUEUE_MAX_BYTES)
		return error_set(err, ERROR_DAMAGED,
		    _("the tar has a header of more than %d bytes"),
		    QUEUE_MAX_BYTES);

	grown = realloc(self->queue, wanted);
	if (grown == NULL)
		return error_set_memory(err);
	self->queue = grown;
	self->queue_size = wanted;
	return 0;
}

/* Remember where the last byte that is not zero stands. */
static void
note_nonzero(struct inspect *self, const char *bytes, size_t size)
{
	while (size > 0 && bytes[size - 1] == 0)
		size--;
	if (size > 0)
		self->last_nonzero_end = self->pulled_bytes + size;
}

/* Pull one buffer from upstream to the end of the queue. */
static ssize_t
pull(struct inspect *self, const char **ret_block, struct error *err)
{
	char *block;
	ssize_t got;

	if (queue_reserve(self, err) < 0)
		return -1;
	block = self->queue + self->queue_end;
	got = stream_read(self->base.upstream, block, STREAM_BUFFER_BYTES, err);
	if (got < 0)
		return -1;

	note_nonzero(self, block, (size_t)got);
	self->pulled_bytes += (uint64_t)got;
	self->queue_end += (size_t)got;
	*ret_block = block;
	return got;
}

/* libarchive asks for its next block only when it has used up the one before:
 * the queue may have moved by then. */
static la_ssize_t
on_read(struct archive *archive, void *data, const void **ret_block)
{
	struct inspect *self = data;
	const char *block = "";
	ssize_t got = pull(self, &block, self->err);

	if (got < 0) {
		self->library.set_error(archive, EIO, "upstream");
		return -1;
	}
	*ret_block = block;
	return got;
}

/* After a failed call: the upstream's own error, or what libarchive says. */
static int
tar_failure(const struct inspect *self, struct error *err)
{
	const char *why = self->library.error_string(self->archive);

	if (error_is_set(err))
		return -1;
	return error_set(err, ERROR_DAMAGED,
	    _("the tar is damaged or cut short: %s"),
	    why != NULL ? why : _("unknown format"));
}

static int
check_first_member(
    struct inspect *self, struct archive_entry *entry, struct error *err)
{
	const char *name = self->library.entry_pathname(entry);
	la_int64_t size = self->library.entry_size(entry);

	if (name == NULL || strcmp(name, INDEX_NAME) != 0 ||
	    self->library.entry_filetype(entry) != S_IFREG ||
	    self->library.entry_hardlink(entry) != NULL)
		return error_set(err, ERROR_DAMAGED,
		    _("this is not a backup made by Incus: it begins with "
		      "'%s', not with '%s'"),
		    name != NULL ? name : "?", INDEX_NAME);
	if (size < 0 || size > INSPECT_INDEX_MAX_BYTES)
		return error_set(err, ERROR_DAMAGED,
		    _("'%s' is larger than %d bytes"), INDEX_NAME,
		    INSPECT_INDEX_MAX_BYTES);

	self->result->index_yaml = malloc((size_t)size + 1);
	if (self->result->index_yaml == NULL)
		return error_set_memory(err);
	self->result->index_yaml[0] = '\0';
	self->index_room = (size_t)size;
	self->in_index = true;
	return 0;
}

static int
next_header(struct inspect *self, struct error *err)
{
	struct archive_entry *entry = NULL;
	/* The member before has been read to its end; its padding follows. */
	uint64_t position =
	    (uint64_t)self->library.filter_bytes(self->archive, 0);
	int status;

	self->in_index = false;
	self->members_end = (position + TAR_BLOCK_BYTES - 1) / TAR_BLOCK_BYTES *
			    TAR_BLOCK_BYTES;
	status = self->library.read_next_header(self->archive, &entry);
	/* Behind one zero block libarchive takes a failed read for the end. */
	if (error_is_set(err))
		return -1;
	if (status == ARCHIVE_EOF) {
		self->phase = PHASE_TAIL;
		return 0;
	}
	/* A warning is about a name that has no form in this locale. */
	if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
		return tar_failure(self, err);

	self->phase = PHASE_DATA;
	if (self->result->entries++ == 0)
		return check_first_member(self, entry, err);
	return 0;
}

/* A sparse member may bring more than its header announced, or less. */
static int
refuse_index_size(struct error *err)
{
	return error_set(err, ERROR_DAMAGED,
	    _("'%s' is not as large as it says"), INDEX_NAME);
}

static int
keep_index(struct inspect *self, const void *block, size_t size,
    la_int64_t offset, struct error *err)
{
	struct inspection *result = self->result;

	if (offset != (la_int64_t)result->index_size ||
	    size > self->index_room - result->index_size)
		return refuse_index_size(err);
	memcpy(result->index_yaml + result->index_size, block, size);
	result->index_size += size;
	result->index_yaml[result->index_size] = '\0';
	return 0;
}

static int
next_data(struct inspect *self, struct error *err)
{
	const void *block = NULL;
	size_t size = 0;
	la_int64_t offset = 0;
	int status = self->library.read_data_block(
	    self->archive, &block, &size, &offset);

	if (error_is_set(err))
		return -1;
	if (status == ARCHIVE_EOF) {
		self->phase = PHASE_HEADER;
		if (self->in_index &&
		    self->result->index_size != self->index_room)
			return refuse_index_size(err);
		return 0;
	}
	if (status != ARCHIVE_OK)
		return tar_failure(self, err);
	if (self->in_index)
		return keep_index(self, block, size, offset, err);
	return 0;
}

static int
check_tail(struct inspect *self, struct error *err)
{
	struct inspection *result = self->result;

	if (result->entries == 0)
		return error_set(err, ERROR_DAMAGED,
		    _("this is not a backup made by Incus"));
	if (self->last_nonzero_end > self->members_end)
		return error_set(err, ERROR_DAMAGED,
		    _("there is data after the end of the tar"));
	if (self->pulled_bytes < self->members_end + TAR_END_BYTES)
		return error_set(err, ERROR_DAMAGED,
		    _("the tar is cut short: its end marker is missing"));

	result->tar_size_bytes = self->pulled_bytes;
	result->complete = true;
	self->phase = PHASE_END;
	return 0;
}

static int
next_tail(struct inspect *self, struct error *err)
{
	const char *block;
	ssize_t got = pull(self, &block, err);

	if (got < 0)
		return -1;
	if (self->pulled_bytes >
	    self->members_end + PADDING_MAX_BYTES + QUEUE_MAX_BYTES)
		return error_set(err, ERROR_DAMAGED,
		    _("the padding behind the end of the tar does not end"));
	return got == 0 ? check_tail(self, err) : 0;
}

/* Go one step through the tar; some steps bring bytes to the queue. */
static int
step(struct inspect *self, struct error *err)
{
	self->err = err;
	switch (self->phase) {
	case PHASE_HEADER:
		return next_header(self, err);
	case PHASE_DATA:
		return next_data(self, err);
	case PHASE_TAIL:
		return next_tail(self, err);
	case PHASE_END:
		break;
	}
	return 0;
}

static ssize_t
inspect_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct inspect *self = (struct inspect *)s;
	size_t count;

	while (self->queue_start == self->queue_end) {
		if (self->phase == PHASE_END)
			return 0;
		if (step(self, err) < 0)
			return -1;
	}

	count = self->queue_end - self->queue_start;
	if (count > size)
		count = size;
	memcpy(buf, self->queue + self->queue_start, count);
	self->queue_start += count;
	return (ssize_t)count;
}

static void
inspect_free(struct stream *s)
{
	struct inspect *self = (struct inspect *)s;

	if (self->archive != NULL)
		(void)self->library.read_free(self->archive);
	free(self->queue);
	free(self);
}

static const struct stream_kind inspect_kind = {
    .name = "tar",
    .read = inspect_read,
    .free = inspect_free,
};

/* Open libarchive on the stream and read the first member. */
static int
read_head(struct inspect *self, struct error *err)
{
	if (libarchive_load(&self->library, err) < 0)
		return -1;
	self->archive = self->library.read_new();
	if (self->archive == NULL)
		return error_set_memory(err);

	self->err = err;
	if (self->library.read_support_format_tar(self->archive) !=
		ARCHIVE_OK ||
	    self->library.read_open(self->archive, self, NULL, on_read, NULL) !=
		ARCHIVE_OK)
		return tar_failure(self, err);

	do {
		if (step(self, err) < 0)
			return -1;
	} while (self->phase == PHASE_DATA);

	if (self->result->index_yaml == NULL)
		return error_set(err, ERROR_DAMAGED,
		    _("this is not a backup made by Incus"));
	return 0;
}

struct stream *
inspect_new(
    struct stream *from, struct inspection *ret_inspection, struct error *err)
{
	struct inspect *self;

	if (from == NULL)
		return NULL;
	*ret_inspection = (struct inspection){0};
	self = calloc(1, sizeof(*self));
	if (self == NULL) {
		error_set_memory(err);
		return stream_refuse(from);
	}
	self->base.kind = &inspect_kind;
	self->base.upstream = from;
	self->result = ret_inspection;

	if (read_head(self, err) < 0) {
		inspection_clear(ret_inspection);
		return stream_refuse(&self->base);
	}
	return &self->base;
}
