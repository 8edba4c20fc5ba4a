/* A hostile source: every way to read from an instance, whose answers are the
 * input. Its first byte says what is done, a sum of the DO_...; the second is
 * which of the paths, sizes and counts; then come the replies, as
 * fuzz_transport.h says. */

#include "fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/text.h"
#include "check.h"
#include "fuzz_transport.h"
#include "incus/sftp_list.h"
#include "incus/sftp_load.h"
#include "incus/sftp_path.h"
#include "incus/sftp_reader.h"
#include "incus/sftp_session.h"
#include "incus/sftp_walk.h"
#include "stream/file_batch.h"
#include "stream/stream.h"

#define DO_RESOLVE 0x01U
#define DO_TWO_WALKS 0x02U
#define DO_READ 0x04U
#define DO_READ_A_BIT 0x08U
#define DO_ASK 0x10U
#define DO_LIST 0x20U
#define DO_LOAD 0x40U

/* As many as a reply has room for: a name, how ls shows it, attributes. */
#define NAME_LEAST_BYTES (4U + 4U + 16U)
#define REPLY_NAMES_MAX (SFTP_PACKET_MAX_BYTES / NAME_LEAST_BYTES)

/* A name that is asked for, and what a directory is listed as. */
static const char *const paths[] = {
    "/etc/hosts",
    "/",
    "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r",
    "//srv/./x/../y//z/",
    "/../..",
    "/srv/link/below",
};

#define PATHS (sizeof(paths) / sizeof(paths[0]))

/* As Linux does: sftp_walk.h. */
#define SYMLINKS_MAX 40U

/* Names that READDIRs have brought, by the server's own count. */
static size_t names_brought;
static size_t directories_listed;

/* Links that were read since the last walk began, and how many walks. */
static size_t links_read;
static size_t walks;

/* A source is read, and nothing else. */
static void
asked(uint8_t type, struct sftp_cursor request)
{
	auto_free char *path = NULL;

	switch (type) {
	case SFTP_CLOSE:
	case SFTP_READ:
	case SFTP_FSTAT:
		return;
	case SFTP_READDIR:
		/* A directory without an end is given up, but for the names of
		 * an answer that nobody has looked at yet. */
		CHECK(names_brought <=
		      directories_listed *
			  (SFTP_LIST_ENTRIES_MAX + REPLY_NAMES_MAX));
		return;
	case SFTP_OPEN:
	case SFTP_OPENDIR:
	case SFTP_STAT:
	case SFTP_LSTAT:
	case SFTP_READLINK:
		path = transport_text(&request);
		CHECK(transport_path_is_clean(path));
		if (type == SFTP_OPEN)
			CHECK(sftp_get_u32(&request) == SFTP_OPEN_READ);
		if (type == SFTP_READLINK && walks > 0)
			CHECK(++links_read <= walks * (SYMLINKS_MAX + 1));
		return;
	default:
		check_failed("a request that only reads", __FILE__, __LINE__);
	}
}

static void
answered(uint8_t to, uint8_t type, struct sftp_cursor reply)
{
	size_t most = reply.left / NAME_LEAST_BYTES;

	if (to == SFTP_READDIR && type == SFTP_NAME) {
		uint32_t names = sftp_get_u32(&reply);

		names_brought += names < most ? names : 0;
	}
}

static const struct transport_watcher watcher = {asked, answered};

static void
check_place(const struct sftp_place *place)
{
	CHECK(transport_path_is_clean(place->path));
	if (sftp_is_there(&place->found))
		CHECK((place->found.flags & SFTP_HAS_MODE) != 0 &&
		      place->found.size_bytes <= INT64_MAX);
}

static void
resolve(struct sftp_session *session, const char *path)
{
	auto_sftp_place struct sftp_place place = {0};
	struct error err = {0};
	int result = sftp_resolve(session, path, &place, &err);

	check_result(result, &err);
	if (result == 0)
		check_place(&place);
	else
		CHECK(place.path == NULL);
}

/* Two at once: both ask before either has been heard. */
static void
walk_twice(struct sftp_session *session, size_t which)
{
	auto_sftp_place struct sftp_place place = {0};
	struct error err = {0};
	auto_sftp_walk struct sftp_walk *one =
	    sftp_walk_new(session, paths[which % PATHS], &err);
	auto_sftp_walk struct sftp_walk *two = NULL;

	if (one != NULL)
		two = sftp_walk_new(session, paths[(which + 1) % PATHS], &err);
	check_result(two != NULL ? 0 : -1, &err);
	if (two == NULL)
		return;
	if (sftp_walk_end(two, &place, &err) == 0)
		check_place(&place);
	sftp_place_clear(&place);
	error_clear(&err);
	/* With an odd number the first is given up. */
	if (which % 2 == 0 && !sftp_session_broken(session) &&
	    sftp_walk_end(one, &place, &err) == 0)
		check_place(&place);
}

/* To the end, or `most` bytes; each as the server gave it for this place. */
static void
read_stream(struct stream *stream, const struct sftp_attributes *at_open,
    size_t buffer_size, uint64_t most)
{
	unsigned char buffer[8192];
	struct error err = {0};
	uint64_t total = 0;
	ssize_t got = 1;

	while (got > 0 && total < most) {
		got = stream_read(stream, buffer, buffer_size, &err);
		CHECK(got <= (ssize_t)buffer_size);
		for (ssize_t i = 0; i < got && transport_filled(); i++)
			CHECK(buffer[i] ==
			      transport_content(total + (uint64_t)i));
		total += got > 0 ? (uint64_t)got : 0;
		CHECK(total <= at_open->size_bytes);
	}
	check_result(got < 0 ? -1 : 0, &err);
	/* The end is a promise. */
	if (got == 0)
		CHECK(total == at_open->size_bytes);
	if (got < 0) {
		error_clear(&err);
		CHECK(stream_read(stream, buffer, 1, &err) == -1);
	}
}

static void
read_file(struct sftp_session *session, size_t which, uint64_t most)
{
	struct sftp_attributes at_open = {0};
	struct error err = {0};
	bool grew = false;
	auto_stream struct stream *stream = sftp_file_open(
	    session, paths[0], &at_open, which % 2 == 0 ? &grew : NULL, &err);

	check_result(stream != NULL ? 0 : -1, &err);
	if (stream == NULL)
		return;
	CHECK(S_ISREG(at_open.mode));
	CHECK(at_open.size_bytes <= INT64_MAX);
	read_stream(stream, &at_open, 1 + which * 32, most);
	CHECK(!grew || stream->ended);
}

static void
ask_link(struct sftp_session *session, const char *path)
{
	struct error err = {0};
	auto_free char *target = sftp_read_link(session, path, &err);

	check_result(target != NULL ? 0 : -1, &err);
	if (target != NULL)
		CHECK(*target != '\0' && strlen(target) < SFTP_PATH_MAX_BYTES);
}

static void
ask(struct sftp_session *session, const char *path)
{
	struct sftp_attributes found = {0};
	struct error err = {0};
	int result = sftp_lstat(session, path, &found, &err);

	check_result(result, &err);
	CHECK(result < 0 || sftp_is_there(&found));
	if (sftp_session_broken(session))
		return;
	error_clear(&err);
	result = sftp_look(session, path, &found, &err);
	check_result(result > 0 ? 0 : result, &err);
	if (!sftp_session_broken(session))
		ask_link(session, path);
}

static char *
copied(const char *text)
{
	struct error err = {0};
	char *copy = text_copy(text, strlen(text), &err);

	CHECK(copy != NULL);
	return copy;
}

/* What has been taken of a listing. */
struct listing {
	const struct batch_directory *directories;
	size_t count;
	size_t taken;
	size_t patience;
	char first[DIRECTORY_BATCH_MAX][256];
};

static int
take_name(void *data, struct batch_directory *in, const char *name,
    const struct file_facts *facts, struct error *err)
{
	struct listing *listing = data;
	size_t i = (size_t)(in - listing->directories);

	CHECK(i < listing->count && !error_is_set(&in->failure));
	CHECK(*name != '\0' && strlen(name) <= 255);
	CHECK(strchr(name, '/') == NULL);
	CHECK(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
	CHECK(facts->size_bytes <= INT64_MAX);
	/* None comes twice. */
	CHECK(strcmp(name, listing->first[i]) != 0);
	if (listing->first[i][0] == '\0')
		memcpy(listing->first[i], name, strlen(name) + 1);
	if (++listing->taken > listing->patience)
		return error_set(err, ERROR_FAILED, "enough");
	return 0;
}

static void
list(struct sftp_session *session, size_t which)
{
	struct batch_directory directories[DIRECTORY_BATCH_MAX] = {0};
	struct listing listing = {
	    .directories = directories,
	    .count = 1 + which % DIRECTORY_BATCH_MAX,
	    .patience = which < 128 ? SIZE_MAX : which - 128,
	};
	const struct list_taker taker = {&listing, take_name};
	struct error err = {0};
	int result;

	for (size_t i = 0; i < listing.count; i++)
		directories[i].from = copied(i % 2 == 0 ? "/srv" : "/a b/c");
	/* One of them is passed over. */
	if (listing.count > 2)
		error_set(&directories[1].failure, ERROR_FAILED, "before");
	directories_listed = listing.count;
	names_brought = 0;
	result = sftp_list(session, directories, listing.count, &taker, &err);
	check_result(result, &err);
	CHECK(result < 0 || listing.taken <= listing.patience);
	for (size_t i = 0; i < listing.count; i++) {
		if (error_is_set(&directories[i].failure))
			check_error(&directories[i].failure);
		batch_directory_clear(&directories[i]);
	}
}

static void
check_loaded(const struct batch_file *file)
{
	if (error_is_set(&file->failure)) {
		check_error(&file->failure);
		return;
	}
	CHECK(file->content != NULL);
	CHECK(file->content[file->size_bytes] == '\0');
	if (S_ISLNK(file->facts.mode)) {
		CHECK(file->size_bytes > 0 &&
		      file->size_bytes < SFTP_PATH_MAX_BYTES);
		CHECK(strlen((const char *)file->content) == file->size_bytes);
		return;
	}
	CHECK(file->size_bytes == file->facts.size_bytes);
	for (size_t i = 0; i < file->size_bytes && transport_filled(); i++)
		CHECK(file->content[i] == transport_content(i));
}

static void
load_batch(struct sftp_session *session, size_t which)
{
	static const size_t sizes[] = {5, 0, SIZE_MAX, 40000, 100, 150000};
	struct error err = {0};
	struct file_batch *batch = file_batch_new(&err);
	size_t count = which < 64 ? 1 + which / 6 : FILE_BATCH_MAX;
	struct sftp_load *load;
	int result;

	CHECK(batch != NULL);
	for (size_t i = 0; i < count; i++) {
		size_t size = sizes[(which + i) % (which < 128 ? 6 : 3)];
		bool link = size == SIZE_MAX;
		struct batch_file *file = file_batch_add(
		    batch, copied("/a/f"), copied("/b/f"), link ? 7 : size);

		CHECK(file != NULL);
		file->facts.mode = link ? S_IFLNK | 0777 : S_IFREG | 0644;
		file->facts.size_bytes = link ? 7 : size;
		file->skip = i == 5;
	}
	load = sftp_load_begin(session, batch, &err);
	result = load != NULL ? 1 : -1;
	while (result > 0)
		result = sftp_load_go_on(load, &err);
	sftp_load_free(load);
	check_result(result, &err);
	for (size_t i = 0; result == 0 && i < count; i++) {
		if (i != 5)
			check_loaded(&batch->files[i]);
	}
	file_batch_free(batch);
}

static void
run(struct sftp_session *session, unsigned what, size_t which)
{
	links_read = walks = 0;
	switch (what) {
	case DO_RESOLVE:
		walks = 1;
		resolve(session, paths[which % PATHS]);
		break;
	case DO_TWO_WALKS:
		walks = 2;
		walk_twice(session, which);
		break;
	case DO_READ:
		read_file(session, which, UINT64_MAX);
		break;
	case DO_READ_A_BIT:
		read_file(session, which, which);
		break;
	case DO_ASK:
		ask(session, paths[0]);
		break;
	case DO_LIST:
		list(session, which);
		break;
	case DO_LOAD:
		load_batch(session, which);
		break;
	default:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = {0};
	struct sftp_session *session;

	if (size < 3)
		return 0;
	session = transport_open(data + 2, size - 2, &watcher, &err);
	check_result(session != NULL ? 0 : -1, &err);
	if (session == NULL)
		return 0;
	/* Nothing is asked of a session that has failed for good. */
	for (unsigned what = 1; what <= DO_LOAD; what <<= 1) {
		if (!sftp_session_broken(session))
			run(session, data[0] & what, data[1]);
	}
	sftp_session_free(session);
	return 0;
}
