/* A hostile destination: every way to write into an instance, where the answers
 * are the input. Its first byte says what is done, a sum of the DO_...; the
 * second which of the sizes and counts; then come the replies, as
 * fuzz_transport.h says: to INIT, to a look at /srv, and to what is done. */

#include "fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/text.h"
#include "check.h"
#include "fuzz_trail.h"
#include "fuzz_transport.h"
#include "incus/sftp_directory.h"
#include "incus/sftp_make.h"
#include "incus/sftp_path.h"
#include "incus/sftp_session.h"
#include "incus/sftp_store.h"
#include "incus/sftp_writer.h"
#include "stream/file_batch.h"
#include "stream/stream.h"

#define DO_PUT 0x01U
#define DO_PUT_EXCLUSIVE 0x02U
#define DO_PUT_FAILING 0x04U
#define DO_MAKE 0x08U
#define DO_MAKE_ABOVE 0x10U
#define DO_LOOK 0x20U
#define DO_STORE 0x40U
#define DO_STORE_EXCLUSIVE 0x80U

/* The largest body is more than a window of writes (sftp_writer.c). */
#define BODY_MAX_BYTES ((size_t)18 * 128 * 1024 + 7)

static const size_t body_sizes[] = {5, 0, 131073, BODY_MAX_BYTES};

static unsigned char body[BODY_MAX_BYTES];

/* Once; its first byte is not 0. */
static void
fill_body(void)
{
	if (body[0] != 0)
		return;
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = transport_content(i);
}

/* A body that breaks off. */
static ssize_t
broken_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	(void)s;
	(void)buf;
	(void)size;
	return error_set(err, ERROR_DAMAGED, "the body is damaged");
}

static void
broken_free(struct stream *s)
{
	(void)s;
}

static const struct stream_kind broken_kind = {
    .name = "broken body",
    .read = broken_read,
    .free = broken_free,
};

static void
put_stream(struct sftp_session *session, struct stream *stream, size_t size,
    bool exclusive)
{
	const struct sftp_put_request request = {
	    .path = "/srv/target",
	    .exclusive = exclusive,
	    .attributes = {.flags =
			       SFTP_HAS_OWNER | SFTP_HAS_MODE | SFTP_HAS_TIMES,
		.uid = 1000,
		.gid = 1000,
		.mode = 0640,
		.atime_s = 1,
		.mtime_s = 1700000000},
	};
	struct error err = {0};
	uint64_t written = UINT64_MAX;
	int result;

	trail_start(true);
	trail_expect(request.path, size);
	result = sftp_file_put(session, &request, stream, &written, &err);
	check_result(result, &err);
	if (result < 0) {
		CHECK(written == UINT64_MAX);
	} else {
		CHECK(written == size);
		CHECK(trail_written() == size);
		CHECK(trail_published(request.path) == 1);
	}
	trail_end(session);
}

static void
put(struct sftp_session *session, size_t which, bool exclusive)
{
	size_t size = body_sizes[which % 4];
	struct error err = {0};
	auto_stream struct stream *stream = stream_memory_new(body, size, &err);

	CHECK(stream != NULL);
	put_stream(session, stream, size, exclusive);
}

/* What breaks off never gets its name. */
static void
put_broken(struct sftp_session *session)
{
	struct stream stream = {.kind = &broken_kind};

	put_stream(session, &stream, SIZE_MAX, false);
	CHECK(trail_published("/srv/target") == 0);
}

static char *
numbered(const char *before, size_t i)
{
	struct error err = {0};
	char *path = text_format(&err, "%s%zu", before, i);

	CHECK(path != NULL);
	return path;
}

static void
make(struct sftp_session *session, size_t which)
{
	struct batch_directory directories[DIRECTORY_BATCH_MAX] = {0};
	size_t count = 1 + which % DIRECTORY_BATCH_MAX;
	struct error err = {0};
	int result;

	trail_start(true);
	for (size_t i = 0; i < count; i++) {
		directories[i].from = numbered("/from/d", i);
		directories[i].to = numbered("/srv/d", i);
		directories[i].mode = 0750;
		directories[i].uid = directories[i].gid = 1000;
		directories[i].facts.mtime_s = 1700000000;
	}
	/* One of them is passed over. */
	if (count > 2)
		error_set(&directories[1].failure, ERROR_FAILED, "before");
	result = sftp_make(session, directories, count, &err);
	check_result(result, &err);
	if (result == 0 && which % 2 == 0) {
		result = sftp_make_times(session, directories, count, &err);
		check_result(result, &err);
	}
	for (size_t i = 0; i < count; i++) {
		if (error_is_set(&directories[i].failure))
			check_error(&directories[i].failure);
		batch_directory_clear(&directories[i]);
	}
}

static void
make_above(struct sftp_session *session)
{
	struct sftp_attributes found = {0};
	struct error err = {0};
	int result;

	trail_start(false);
	result = sftp_make_directories(session, "/srv/a/b c", &found, &err);
	check_result(result, &err);
	CHECK(result == 0 ? S_ISDIR(found.mode) : found.flags == 0);
}

static void
fill_file(struct batch_file *file, size_t i, size_t which)
{
	static const size_t sizes[] = {5, 0, SIZE_MAX, 131073, 100};
	size_t size = sizes[(which + i) % 5];
	bool link = size == SIZE_MAX;

	if (link)
		size = 7;
	file->facts.mode = link ? S_IFLNK | 0777 : S_IFREG | 0640;
	file->facts.mtime_s = 1700000000;
	CHECK(batch_file_reserve(file, size) == 0);
	memcpy(file->content, body, size);
	/* Setuid is set once more behind the content. */
	file->mode = i % 4 == 3 ? 04755 : 0640;
	file->uid = file->gid = 1000;
	file->look = i != 1;
	file->skip = i == 5;
}

static struct file_batch *
new_batch(size_t which, bool exclusive)
{
	struct error err = {0};
	struct file_batch *batch = file_batch_new(&err);
	size_t count = which < 128 ? 1 + which % 8 : FILE_BATCH_MAX;

	CHECK(batch != NULL);
	for (size_t i = 0; i < count; i++) {
		char *from = numbered("/from/f", i);
		char *to = numbered("/srv/f", i);
		struct batch_file *file = file_batch_add(batch, from, to, 0);

		CHECK(file != NULL);
		fill_file(file, i, which);
		file->exclusive = exclusive;
		/* A target of a link that holds NUL is none. */
		if (S_ISLNK(file->facts.mode))
			memset(file->content, 'l', file->size_bytes);
		if (!file->skip)
			trail_expect(file->to, file->size_bytes);
	}
	return batch;
}

/* A file that has not failed has been given its name, once. */
static void
check_stored(const struct batch_file *file, int result)
{
	size_t published = trail_published(file->to);

	CHECK(published <= 1);
	if (error_is_set(&file->failure))
		check_error(&file->failure);
	else if (result == 0)
		CHECK(published == (file->skip ? 0 : 1));
}

static void
store_batch(struct sftp_session *session, size_t which, bool exclusive)
{
	struct file_batch *batch;
	struct sftp_store *store;
	struct error err = {0};
	int result;

	trail_start(true);
	batch = new_batch(which, exclusive);
	store = sftp_store_begin(session, batch, &err);
	result = store != NULL ? 1 : -1;
	while (result > 0)
		result = sftp_store_go_on(store, &err);
	sftp_store_free(store);
	check_result(result, &err);
	for (size_t i = 0; i < batch->count; i++)
		check_stored(&batch->files[i], result);
	trail_end(session);
	file_batch_free(batch);
}

static void
look(struct sftp_session *session, size_t which)
{
	struct file_batch *batch;
	struct error err = {0};
	int result;

	trail_start(true);
	batch = new_batch(which, false);
	result = sftp_store_look(session, batch, &err);
	check_result(result, &err);
	for (size_t i = 0; result == 0 && i < batch->count; i++) {
		const struct batch_file *file = &batch->files[i];

		CHECK(!file->look || file->skip);
		CHECK(file->there.size_bytes <= INT64_MAX);
		if (error_is_set(&file->failure))
			check_error(&file->failure);
	}
	file_batch_free(batch);
}

/* The first request of all changes nothing (sftp_session.h): behind its answer
 * it is known what the server can do. */
static void
greet(struct sftp_session *session)
{
	struct sftp_attributes found = {0};
	struct error err = {0};
	int result;

	trail_start(true);
	result = sftp_stat(session, "/srv", &found, &err);
	check_result(result, &err);
}

static void
run(struct sftp_session *session, unsigned what, size_t which)
{
	switch (what) {
	case DO_PUT:
	case DO_PUT_EXCLUSIVE:
		put(session, which, what == DO_PUT_EXCLUSIVE);
		break;
	case DO_PUT_FAILING:
		put_broken(session);
		break;
	case DO_MAKE:
		make(session, which);
		break;
	case DO_MAKE_ABOVE:
		make_above(session);
		break;
	case DO_LOOK:
		look(session, which);
		break;
	case DO_STORE:
	case DO_STORE_EXCLUSIVE:
		store_batch(session, which, what == DO_STORE_EXCLUSIVE);
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
	fill_body();
	session = transport_open(data + 2, size - 2, &trail_watcher, &err);
	check_result(session != NULL ? 0 : -1, &err);
	if (session == NULL)
		return 0;
	greet(session);
	/* Nothing is asked of a session that has failed for good. */
	for (unsigned what = 1; what <= DO_STORE_EXCLUSIVE; what <<= 1) {
		if (!sftp_session_broken(session))
			run(session, data[0] & what, data[1]);
	}
	sftp_session_free(session);
	return 0;
}
