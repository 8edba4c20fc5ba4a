#include "store/audit_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "store/audit_file.h"

#define PIECE_BYTES ((size_t)64 * 1024)

/* What is looked at, at the end of each of syslog's files. */
#define SYSLOG_TAIL_BYTES ((off_t)64 * 1024 * 1024)

/* Lines out of a file, each with its end. */
struct reader {
	int directory_fd;
	int fd;
	const char *path; /* for messages */
	off_t left;	  /* what comes later is not looked at */
	char *bytes;
	size_t room;
	size_t size;  /* bytes that are there */
	size_t taken; /* of these, given already */
	char expected[DIGEST_TEXT_BYTES];
	audit_visit *visit;
	void *data; /* for it */
};

static void
reader_clear(struct reader *reader)
{
	if (reader->fd >= 0)
		(void)close(reader->fd);
	if (reader->directory_fd >= 0)
		(void)close(reader->directory_fd);
	free(reader->bytes);
}

/* What is left goes to the front; then there is room for one piece more. */
static int
make_room(struct reader *reader, struct error *err)
{
	size_t kept = reader->size - reader->taken;
	char *grown;

	if (kept > 0 && reader->taken > 0)
		memmove(reader->bytes, reader->bytes + reader->taken, kept);
	reader->size = kept;
	reader->taken = 0;
	if (reader->room - kept >= PIECE_BYTES)
		return 0;
	if (kept > AUDIT_LINE_MAX_BYTES)
		return error_set(err, ERROR_DAMAGED,
		    _("'%s' has a line of more than %zu bytes"), reader->path,
		    AUDIT_LINE_MAX_BYTES);
	grown = realloc(reader->bytes, 2 * kept + PIECE_BYTES);
	if (grown == NULL)
		return error_set_memory(err);
	reader->bytes = grown;
	reader->room = 2 * kept + PIECE_BYTES;
	return 0;
}

/* Bytes read; 0 at the end. */
static ssize_t
read_piece(struct reader *reader, struct error *err)
{
	size_t size = PIECE_BYTES;
	ssize_t got;

	if (interrupt_check(err) < 0 || make_room(reader, err) < 0)
		return -1;
	if (reader->left < (off_t)size)
		size = (size_t)reader->left;
	do {
		got = read(reader->fd, reader->bytes + reader->size, size);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_set_errno(
		    err, errno, _("cannot read '%s'"), reader->path);
	reader->size += (size_t)got;
	reader->left -= got;
	return got;
}

/* The end of the next line, when it is there already; `looked` bytes of it have
 * been looked at. */
static const char *
find_end(const struct reader *reader, size_t looked)
{
	size_t from = reader->taken + looked;

	if (reader->bytes == NULL || from >= reader->size)
		return NULL;
	return memchr(reader->bytes + from, '\n', reader->size - from);
}

/* The next line: 1, with its end if it has one; 0 at the end; -1. Valid until
 * the next call. */
static int
next_line(struct reader *reader, const char **ret_line, size_t *ret_length,
    struct error *err)
{
	size_t looked = 0;

	for (;;) {
		size_t there = reader->size - reader->taken;
		const char *end = find_end(reader, looked);
		ssize_t got;

		if (end != NULL) {
			*ret_line = reader->bytes + reader->taken;
			*ret_length = (size_t)(end - *ret_line) + 1;
			reader->taken += *ret_length;
			return 1;
		}
		looked = there;
		got = read_piece(reader, err);
		if (got < 0)
			return -1;
		if (got > 0)
			continue;
		*ret_line = reader->bytes;
		*ret_length = there;
		reader->taken += there;
		return there > 0;
	}
}

/* A whole entry, or NULL. */
static json_t *
parse_entry(const char *line, size_t length, const char *path)
{
	struct error ignored = {0};
	auto_json json_t *entry = NULL;

	if (line[length - 1] != '\n')
		return NULL;
	entry = json_parse(line, length, path, &ignored);
	return json_is_object(entry) ? steal(entry) : NULL;
}

static int
give(struct reader *reader, uint64_t number, const char *line, size_t length,
    struct error *err)
{
	auto_json json_t *entry = parse_entry(line, length, reader->path);
	const char *previous = json_text(entry, "previous");
	struct audit_line given = {
	    .number = number,
	    .entry = entry,
	    .continues =
		previous != NULL && strcmp(previous, reader->expected) == 0,
	};

	if (digest_bytes(line, length, reader->expected, err) < 0)
		return -1;
	return reader->visit(reader->data, &given, err);
}

/* Open it between two lines of others: 1, 0, or -1. */
static int
reader_open(struct reader *reader, const char *directory, struct error *err)
{
	struct stat found;

	reader->directory_fd =
	    open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (reader->directory_fd >= 0)
		reader->fd = openat(reader->directory_fd, AUDIT_FILE_NAME,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (reader->fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (reader->fd < 0 && errno == EACCES)
		return error_set(err, ERROR_DENIED,
		    _("'%s' is not yours to read"), reader->path);
	if (reader->fd < 0 || fstat(reader->fd, &found) < 0)
		return error_set_errno(
		    err, errno, _("cannot open '%s'"), reader->path);
	if (!S_ISREG(found.st_mode))
		return error_set(err, ERROR_FAILED,
		    _("'%s' is not a regular file"), reader->path);
	if (audit_file_lock(reader->fd, false, reader->path, err) < 0)
		return -1;
	if (fstat(reader->fd, &found) < 0 || flock(reader->fd, LOCK_UN) < 0)
		return error_set_errno(err, errno, "'%s'", reader->path);
	reader->left = found.st_size;
	if (audit_file_before(reader->directory_fd, reader->expected, err) < 0)
		return -1;
	return 1;
}

static int
read_all(struct reader *reader, struct error *err)
{
	const char *line;
	size_t length;
	int got;

	for (uint64_t number = 1;; number++) {
		got = next_line(reader, &line, &length, err);
		if (got <= 0)
			return got;
		if (give(reader, number, line, length, err) < 0)
			return -1;
	}
}

int
audit_read(const char *directory, audit_visit *visit, void *data,
    char ret_last[DIGEST_TEXT_BYTES], struct error *err)
{
	auto_free char *path =
	    text_format(err, "%s/%s", directory, AUDIT_FILE_NAME);
	struct reader reader = {.directory_fd = -1,
	    .fd = -1,
	    .path = path,
	    .visit = visit,
	    .data = data};
	int found;

	if (path == NULL)
		return -1;
	found = reader_open(&reader, directory, err);
	if (found > 0 && read_all(&reader, err) < 0)
		found = -1;
	if (found > 0)
		memcpy(ret_last, reader.expected, DIGEST_TEXT_BYTES);
	reader_clear(&reader);
	return found;
}

/* Whether the end of a file holds a text: 1, 0, or -1. */
static int
file_holds(const char *path, const char *text, struct error *err)
{
	struct reader reader = {
	    .directory_fd = -1, .fd = -1, .path = path, .left = INT64_MAX};
	const char *line;
	size_t length;
	struct stat found;
	int got = 0;

	reader.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (reader.fd < 0 || fstat(reader.fd, &found) < 0 ||
	    !S_ISREG(found.st_mode)) {
		reader_clear(&reader);
		return 0;
	}
	if (found.st_size > SYSLOG_TAIL_BYTES)
		(void)lseek(reader.fd, -SYSLOG_TAIL_BYTES, SEEK_END);
	while ((got = next_line(&reader, &line, &length, err)) > 0) {
		if (memmem(line, length, text, strlen(text)) != NULL)
			break;
	}
	reader_clear(&reader);
	if (got < 0 && err->code == ERROR_DAMAGED) {
		/* Lines without end: no log of text. */
		error_clear(err);
		return 0;
	}
	return got;
}

int
audit_confirm(const char *log_directory, const char *sha256, char **ret_where,
    struct error *err)
{
	/* Where Debian and Red Hat put authpriv, then everything. */
	static const char *const names[] = {
	    "auth.log", "secure", "syslog", "messages"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		auto_free char *path =
		    text_format(err, "%s/%s", log_directory, names[i]);
		int holds = path != NULL ? file_holds(path, sha256, err) : -1;

		if (holds > 0)
			*ret_where = steal(path);
		if (holds != 0)
			return holds;
	}
	return 0;
}
