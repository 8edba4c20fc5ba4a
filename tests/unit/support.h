/* support.h - what the unit tests share: sources that misbehave, a drain that
 * checks the contract of streams, children, bytes that look random */

#ifndef ANKLUME_UNIT_SUPPORT_H
#define ANKLUME_UNIT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"
#include "stream/stream.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct bytes {
	unsigned char *data;
	size_t size;
};

static inline void
auto_bytes_cleanup(struct bytes *bytes)
{
	free(bytes->data);
}

#define auto_bytes __attribute__((cleanup(auto_bytes_cleanup)))

/* Append; fails the test when memory is out. */
void bytes_add(struct bytes *bytes, const void *data, size_t size);

/* Incompressible, and the same in every run (xorshift). */
struct bytes bytes_random(size_t size, uint64_t seed);
struct bytes bytes_zero(size_t size);

/* The text of SOURCE_FAILURE's error. */
#define SOURCE_ERROR "the source broke"

/* How a test source ends. */
enum source_end {
	SOURCE_ENDS,
	SOURCE_FAILS, /* with ERROR_UNREACHABLE and SOURCE_ERROR */
};

/* A source over borrowed memory that gives at most `chunk` bytes a read (0: as
 * many as asked for). Fails the test when it is read again after its end. */
struct stream *source_new(
    const void *data, size_t size, size_t chunk, enum source_end end);

/* Read `s` with reads of `reader` bytes, and free it. Checks that an end stays
 * an end and a failure a failure. 0 with all bytes; -1 with the bytes that came
 * before the failure. `s` may be NULL with err set: -1 and nothing. The caller
 * frees ret->data in both cases. */
int drain(
    struct stream *s, size_t reader, struct bytes *ret, struct error *err);

/* Fail the test unless err has this code, and a text. */
#define assert_error(err, expected)                                            \
	check_error((err), (expected), __FILE__, __LINE__)
void check_error(const struct error *err, enum error_code expected,
    const char *file, int line);

/* Fail the test, with err's text, when err is set. */
#define assert_no_error(err) check_error((err), ERROR_NONE, __FILE__, __LINE__)

/* Fail the test unless both are the same bytes. */
#define assert_same_bytes(got, expected)                                       \
	check_same_bytes((got), (expected), __FILE__, __LINE__)
void check_same_bytes(const struct bytes *got, const struct bytes *expected,
    const char *file, int line);

/* Run `body` in a child process, where signals and globals are its own. Returns
 * its wait status. `body` returns the exit status and uses expect(), not
 * cmocka's assertions. */
int in_child(int (*body)(void));

/* In a child: leave `body` with status 1 and say where. */
#define expect(condition)                                                      \
	do {                                                                   \
		if (!(condition)) {                                            \
			print_error(                                           \
			    "%s:%d: %s\n", __FILE__, __LINE__, #condition);    \
			return 1;                                              \
		}                                                              \
	} while (0)

#endif
