/* error.h - a failure as a value: no allocation, nothing to free
 *
 * The function that detects a failure sets the error once; callers hand it up,
 * and only main() prints it. The code is the exit status of the program. */

#ifndef ANKLUME_BASE_ERROR_H
#define ANKLUME_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

/* The exit statuses, which scripts rely on (docs/formats.md). */
enum error_code {
	ERROR_NONE = 0,
	ERROR_FAILED = 1,      /* system, or a fault of the daemon */
	ERROR_USAGE = 2,       /* the command line is wrong */
	ERROR_PARTIAL = 3,     /* finished, but some failed or were skipped */
	ERROR_DENIED = 4,      /* policy, or the project's restrictions */
	ERROR_DAMAGED = 5,     /* damaged, truncated or forged */
	ERROR_NOT_FOUND = 6,   /* no such instance, file, backup */
	ERROR_AMBIGUOUS = 7,   /* several instances hold the name */
	ERROR_EXISTS = 8,      /* exists already, or conflicts */
	ERROR_UNREACHABLE = 9, /* Incus unreachable, no permission on socket */
	ERROR_NO_DIRECTORY = 10, /* backup directory or repository missing */
	ERROR_LOCKED = 11,	 /* locked by another run */
	ERROR_KEY = 12,		 /* no usable key, or decryption refused */
	ERROR_NO_SPACE = 13,	 /* no space left */
	ERROR_UNSAFE = 14,	 /* archive rejected as unsafe */
	ERROR_DRILL = 15,	 /* drill failed */
	ERROR_INTERRUPTED = 130, /* SIGINT */
	ERROR_TERMINATED = 143,	 /* SIGTERM, SIGHUP */
};

/* Room for one line that names a path of PATH_MAX / 4 bytes and a reason. */
#define ERROR_TEXT_BYTES 2048

/* Room for a list of commands to type. */
#define ERROR_HINT_BYTES 4096

struct error {
	enum error_code code;
	char text[ERROR_TEXT_BYTES]; /* one line of UTF-8, escaped */
	char
	    hint[ERROR_HINT_BYTES]; /* lines to read or type next; "" is none */
};

/* Record a failure; *err must be clear. Control bytes that came in through the
 * arguments are escaped. Always returns -1, so that a function may end with
 * `return error_set(err, ...)`. */
int error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same from an errno value, whose text is appended; ENOSPC, EDQUOT and
 * EFBIG are ERROR_NO_SPACE, ENOENT is ERROR_NOT_FOUND, EEXIST is ERROR_EXISTS,
 * anything else ERROR_FAILED. */
int error_set_errno(struct error *err, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Out of memory: nothing more can be said. */
int error_set_memory(struct error *err);

/* Add one line that says what to do about it; left out where the room for hints
 * is used up. Returns -1. */
int error_hint(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for a command that can be pasted: its words, ended by NULL, each
 * quoted for a POSIX shell. Returns -1. */
int error_hint_command(struct error *err, const char *word, ...)
    __attribute__((sentinel));

/* Put "<context>: " in front, for a caller that knows what the detector did
 * not. Returns -1. */
int error_prefix(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same with an array, ended by NULL. */
int error_hint_words(struct error *err, const char *const *words);

/* Add another failure of the same run to a report: the first gives the code,
 * all give their text and hints. Returns -1. */
int error_join(struct error *all, const struct error *one);

static inline bool
error_is_set(const struct error *err)
{
	return err->code != ERROR_NONE;
}

/* Forget a failure that the caller has dealt with. */
void error_clear(struct error *err);

#endif
