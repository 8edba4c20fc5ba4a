#include "fuzz_trail.h"

#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/text.h"
#include "check.h"
#include "incus/sftp_session.h"
#include "stream/file_batch.h"

/* "/.anklume-", 128 bits in hex, ".part": sftp_path.h. */
#define TEMPORARY_BYTES (10U + 32U + 5U)

/* No path of a target is longer. */
#define PATH_BYTES 64U

#define ATTRIBUTES                                                             \
	(SFTP_HAS_SIZE | SFTP_HAS_OWNER | SFTP_HAS_MODE | SFTP_HAS_TIMES)

struct target {
	char path[PATH_BYTES];
	uint64_t size_bytes;
	size_t published;
};

struct temporary {
	char path[PATH_BYTES];
	bool moved; /* the name is another file's now, or was to be */
	bool gone;  /* was asked to be removed */
};

static struct {
	bool secret;
	size_t target_count;
	struct target targets[FILE_BATCH_MAX];
	size_t temporary_count;
	struct temporary temporaries[FILE_BATCH_MAX];
	uint64_t written;

	/* No answer to an earlier operation is due still: so what comes is
	 * about this one. */
	bool alone;

	bool refused;	    /* an answer says that something is not as asked */
	uint64_t size_said; /* of a file, by the destination */
	bool linked;
	size_t moves_refused;
} trail;

void
trail_start(bool secret)
{
	memset(&trail, 0, sizeof(trail));
	trail.secret = secret;
	trail.alone = transport_unanswered() == 0;
}

void
trail_expect(const char *path, uint64_t size_bytes)
{
	struct target *target = &trail.targets[trail.target_count++];

	CHECK(strlen(path) < PATH_BYTES);
	memcpy(target->path, path, strlen(path) + 1);
	target->size_bytes = size_bytes;
}

uint64_t
trail_written(void)
{
	return trail.written;
}

static struct target *
target_of(const char *path)
{
	for (size_t i = 0; i < trail.target_count; i++) {
		if (strcmp(trail.targets[i].path, path) == 0)
			return &trail.targets[i];
	}
	return NULL;
}

size_t
trail_published(const char *path)
{
	const struct target *target = target_of(path);

	return target != NULL ? target->published : 0;
}

static struct temporary *
temporary_of(const char *path)
{
	for (size_t i = 0; i < trail.temporary_count; i++) {
		if (strcmp(trail.temporaries[i].path, path) == 0)
			return &trail.temporaries[i];
	}
	check_failed("a file of our own", __FILE__, __LINE__);
}

/* A name beside the targets that nobody can guess, and a new one each time. */
static void
take_temporary(struct sftp_cursor *request)
{
	auto_free char *path = transport_text(request);
	const char *name = strrchr(path, '/');
	struct temporary *made = &trail.temporaries[trail.temporary_count];

	CHECK(text_starts_with(path, "/srv/.anklume-"));
	CHECK(strlen(name) == TEMPORARY_BYTES);
	CHECK(strspn(name + 10, "0123456789abcdef") == 32);
	CHECK(strcmp(name + 42, ".part") == 0);
	for (size_t i = 0; i < trail.temporary_count; i++)
		CHECK(strcmp(trail.temporaries[i].path, path) != 0);
	CHECK(trail.temporary_count < trail.target_count);
	*made = (struct temporary){0};
	memcpy(made->path, path, strlen(path) + 1);
	trail.temporary_count++;
}

static void
asked_open(struct sftp_cursor *request)
{
	take_temporary(request);
	CHECK(sftp_get_u32(request) ==
	      (SFTP_OPEN_WRITE | SFTP_OPEN_CREATE | SFTP_OPEN_EXCLUSIVE));
	CHECK(sftp_get_u32(request) == SFTP_HAS_MODE);
	CHECK(sftp_get_u32(request) == 0600);
}

static void
asked_write(struct sftp_cursor *request)
{
	size_t size;
	uint64_t offset;
	const unsigned char *content;

	(void)sftp_get_bytes(request, &size);
	CHECK(size > 0);
	offset = sftp_get_u64(request);
	content = sftp_get_bytes(request, &size);
	CHECK(!request->bad && request->left == 0 && size > 0);
	CHECK(trail.target_count > 1 || offset == trail.written);
	CHECK(content[0] == transport_content(offset));
	CHECK(content[size - 1] == transport_content(offset + size - 1));
	trail.written += size;
}

static void
asked_mkdir(struct sftp_cursor *request)
{
	auto_free char *path = transport_text(request);

	CHECK(transport_path_is_clean(path));
	CHECK(text_starts_with(path, "/srv"));
	CHECK(sftp_get_u32(request) == SFTP_HAS_MODE);
	CHECK(sftp_get_u32(request) == (trail.secret ? 0700 : 0755));
}

static bool
is_temporary(const unsigned char *path, size_t size)
{
	for (size_t i = 0; i < trail.temporary_count; i++) {
		const char *one = trail.temporaries[i].path;

		if (strlen(one) == size && memcmp(one, path, size) == 0)
			return true;
	}
	return false;
}

/* One kind of attribute at a time, or what every server takes together; by a
 * name, which may lead elsewhere by now, only the times, unless it is one that
 * nobody else knows. */
static void
asked_attributes(uint8_t type, struct sftp_cursor *request)
{
	size_t size;
	const unsigned char *target = sftp_get_bytes(request, &size);
	uint32_t flags = sftp_get_u32(request);

	CHECK(!request->bad && size > 0);
	CHECK((flags & ~ATTRIBUTES) == 0);
	CHECK((flags & (flags - 1)) == 0 ||
	      flags == (SFTP_HAS_MODE | SFTP_HAS_TIMES));
	CHECK(type == SFTP_FSETSTAT || flags == SFTP_HAS_TIMES ||
	      is_temporary(target, size));
}

/* A file alone is whole, as far as the destination says. */
static void
check_whole(const struct target *target)
{
	if (trail.target_count > 1 || !trail.alone || !transport_framed())
		return;
	CHECK(transport_unanswered() == 0);
	CHECK(!trail.refused);
	if (!trail.linked)
		CHECK(trail.written == target->size_bytes &&
		      trail.size_said == target->size_bytes);
}

static void
asked_publish(struct sftp_cursor *request)
{
	auto_free char *extension = transport_text(request);
	auto_free char *from = transport_text(request);
	auto_free char *to = transport_text(request);
	bool rename = strcmp(extension, "posix-rename@openssh.com") == 0;
	struct temporary *temporary = temporary_of(from);
	struct target *target = target_of(to);

	CHECK(rename || strcmp(extension, "hardlink@openssh.com") == 0);
	CHECK(target != NULL && !temporary->gone && !temporary->moved);
	check_whole(target);
	target->published++;
	temporary->moved = rename;
}

static void
asked_look(struct sftp_cursor *request)
{
	auto_free char *path = transport_text(request);

	CHECK(transport_path_is_clean(path));
}

static void
asked_symlink(struct sftp_cursor *request)
{
	auto_free char *content = transport_text(request);

	CHECK(strspn(content, "l") == strlen(content));
	take_temporary(request);
	trail.linked = true;
}

static void
asked_remove(struct sftp_cursor *request)
{
	auto_free char *path = transport_text(request);

	temporary_of(path)->gone = true;
}

static void
asked_handle(struct sftp_cursor *request)
{
	size_t size;

	(void)sftp_get_bytes(request, &size);
	CHECK(!request->bad && request->left == 0);
	CHECK(size > 0 && size <= SFTP_HANDLE_MAX_BYTES);
}

static void
asked(uint8_t type, struct sftp_cursor request)
{
	switch (type) {
	case SFTP_OPEN:
		asked_open(&request);
		return;
	case SFTP_SYMLINK:
		asked_symlink(&request);
		return;
	case SFTP_WRITE:
		asked_write(&request);
		return;
	case SFTP_MKDIR:
		asked_mkdir(&request);
		return;
	case SFTP_SETSTAT:
	case SFTP_FSETSTAT:
		asked_attributes(type, &request);
		return;
	case SFTP_EXTENDED:
		asked_publish(&request);
		return;
	case SFTP_REMOVE:
		asked_remove(&request);
		return;
	case SFTP_LSTAT:
	case SFTP_STAT:
	case SFTP_OPENDIR:
		asked_look(&request);
		return;
	default:
		CHECK(type == SFTP_CLOSE || type == SFTP_FSTAT ||
		      type == SFTP_READDIR);
		asked_handle(&request);
	}
}

static void
answered(uint8_t to, uint8_t type, struct sftp_cursor reply)
{
	bool done = type == SFTP_STATUS && reply.left >= 4 &&
		    sftp_load_u32(reply.next) == SFTP_OK;
	struct sftp_attributes found = {0};

	switch (to) {
	case SFTP_OPEN:
		trail.refused |= type != SFTP_HANDLE;
		break;
	case SFTP_FSTAT:
		sftp_get_attributes(&reply, &found);
		trail.refused |= type != SFTP_ATTRS || reply.bad;
		trail.size_said = found.size_bytes;
		break;
	case SFTP_EXTENDED:
		trail.moves_refused += done ? 0 : 1;
		break;
	case SFTP_REMOVE:
		break;
	default:
		trail.refused |= !done;
	}
}

const struct transport_watcher trail_watcher = {asked, answered};

void
trail_end(const struct sftp_session *session)
{
	size_t moved = 0;
	size_t moved_in_vain = 0;

	if (sftp_session_broken(session))
		return;
	for (size_t i = 0; i < trail.temporary_count; i++) {
		const struct temporary *temporary = &trail.temporaries[i];

		CHECK(temporary->gone || temporary->moved);
		moved += temporary->moved;
		moved_in_vain += temporary->moved && temporary->gone;
	}
	/* What could not be moved is there still. */
	if (trail.alone && transport_framed())
		CHECK(moved == 0 || moved_in_vain == trail.moves_refused);
}
