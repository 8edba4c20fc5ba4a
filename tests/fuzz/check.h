/* check.h - what a target finds wrong, and what holds for all of them */

#ifndef ANKLUME_FUZZ_CHECK_H
#define ANKLUME_FUZZ_CHECK_H

struct error;

#define CHECK(condition)                                                       \
	((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

/* Say what, and abort: a fuzzer keeps the input then. */
_Noreturn void check_failed(const char *what, const char *file, int line);

/* A failure that may be shown: it says something, on one line (a hint on
 * several), and no terminal acts on it. */
void check_error(const struct error *err);

/* A result of 0 without an error, or of -1 with one that may be shown. */
void check_result(int result, const struct error *err);

#endif
