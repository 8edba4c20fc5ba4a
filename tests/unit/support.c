#include "support.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void
bytes_add(struct bytes *bytes, const void *data, size_t size)
{
	unsigned char *grown = realloc(bytes->data, bytes->size + size + 1);

	assert_non_null(grown);
	if (size > 0)
		memcpy(grown + bytes->size, data, size);
	bytes->data = grown;
	bytes->size += size;
}

struct bytes
bytes_zero(size_t size)
{
	struct bytes bytes = {calloc(1, size + 1), size};

	assert_non_null(bytes.data);
	return bytes;
}

struct bytes
bytes_random(size_t size, uint64_t seed)
{
	struct bytes bytes = bytes_zero(size);
	uint64_t state = seed * 2 + 1;

	for (size_t i = 0; i < size; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		bytes.data[i] = (unsigned char)(state >> 32);
	}
	return bytes;
}

struct source {
	struct stream base;
	const unsigned char *next;
	size_t left;
	size_t chunk;
	enum source_end end;
	bool over;
};

static ssize_t
source_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct source *self = (struct source *)s;

	assert_false(self->over);
	if (size > self->left)
		size = self->left;
	if (self->chunk > 0 && size > self->chunk)
		size = self->chunk;

	self->over = size == 0;
	if (self->over && self->end == SOURCE_FAILS)
		return error_set(err, ERROR_UNREACHABLE, SOURCE_ERROR);
	memcpy(buf, self->next, size);
	self->next += size;
	self->left -= size;
	return (ssize_t)size;
}

static void
source_free(struct stream *s)
{
	free(s);
}

static const struct stream_kind source_kind = {
    .name = "test source",
    .read = source_read,
    .free = source_free,
};

struct stream *
source_new(const void *data, size_t size, size_t chunk, enum source_end end)
{
	struct source *self = calloc(1, sizeof(*self));

	assert_non_null(self);
	self->base.kind = &source_kind;
	self->next = size > 0 ? data : (const void *)"";
	self->left = size;
	self->chunk = chunk;
	self->end = end;
	return &self->base;
}

/* What a stream must keep to once a read has returned 0 or -1. */
static void
check_afterwards(struct stream *s, ssize_t last, const struct error *err)
{
	struct error again = {0};
	char byte;

	if (last == 0) {
		assert_int_equal(stream_read(s, &byte, 1, &again), 0);
		assert_no_error(&again);
		return;
	}
	assert_true(error_is_set(err));
	assert_int_equal(stream_read(s, &byte, 1, &again), -1);
	assert_true(error_is_set(&again));
}

int
drain(struct stream *s, size_t reader, struct bytes *ret, struct error *err)
{
	unsigned char *buf;
	ssize_t got;
	size_t room = 0;

	*ret = (struct bytes){0};
	if (s == NULL) {
		assert_true(error_is_set(err));
		return -1;
	}
	assert_no_error(err);
	buf = malloc(reader);
	assert_non_null(buf);

	while ((got = stream_read(s, buf, reader, err)) > 0) {
		if (room - ret->size < (size_t)got) {
			room = 2 * room + (size_t)got;
			ret->data = realloc(ret->data, room);
			assert_non_null(ret->data);
		}
		memcpy(ret->data + ret->size, buf, (size_t)got);
		ret->size += (size_t)got;
	}
	check_afterwards(s, got, err);
	free(buf);
	stream_free(s);
	return (int)got;
}

void
check_error(const struct error *err, enum error_code expected, const char *file,
    int line)
{
	if (err->code == expected &&
	    (expected == ERROR_NONE || err->text[0] != '\0'))
		return;
	print_error("error code %d, not %d: '%s'\n", (int)err->code,
	    (int)expected, err->text);
	_fail(file, line);
}

void
check_same_bytes(const struct bytes *got, const struct bytes *expected,
    const char *file, int line)
{
	size_t common = got->size < expected->size ? got->size : expected->size;
	size_t at = 0;

	if (got->size == expected->size &&
	    (common == 0 || memcmp(got->data, expected->data, common) == 0))
		return;
	while (at < common && got->data[at] == expected->data[at])
		at++;
	print_error("%zu bytes, not %zu; they differ at %zu\n", got->size,
	    expected->size, at);
	_fail(file, line);
}

int
in_child(int (*body)(void))
{
	int status = -1;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(body());
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}
