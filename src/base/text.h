/* text.h - strings with an owner, numbers that are checked, text that is safe
 * to show */

#ifndef ANKLUME_BASE_TEXT_H
#define ANKLUME_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* A heap copy of the formatted text, owned by the caller; NULL with err set
 * when memory is out. */
char *text_format(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A heap copy of `length` bytes and a NUL; NULL with err set. */
char *text_copy(const char *bytes, size_t length, struct error *err);

/* Copy `length` untrusted bytes to buf so that no terminal acts on them:
 * control bytes (C0, DEL, C1), invalid UTF-8 and bidirectional controls become
 * \xNN; newline, tab and carriage return become \n, \t, \r. Always ends with
 * NUL; cut with "..." where size is too small (at least 8). Returns buf. */
char *text_escape(char *buf, size_t size, const char *bytes, size_t length);

/* An unsigned decimal number, the whole of `text`, at most `maximum`. */
bool text_parse_number(const char *text, uint64_t maximum, uint64_t *ret_value);

/* The same with "%" behind it; never 0. */
bool text_parse_percent(
    const char *text, uint64_t maximum, uint64_t *ret_value);

/* Seconds: a number alone, or with "s", "m" or "h" behind it, as sleep(1). */
bool text_parse_seconds(
    const char *text, uint64_t maximum, uint64_t *ret_seconds);

/* Bytes per second: a number and "K", "M" or "G", in powers of 1024; never 0.
 * Tools do not agree on what a number alone would be. */
bool text_parse_rate(const char *text, uint64_t *ret_bytes);

bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);

/* Room for a byte count shown to a person, as in "1.5 GiB". */
#define TEXT_SIZE_BYTES 32

/* Show a byte count in IEC units. Returns buf. */
char *text_show_size(char buf[TEXT_SIZE_BYTES], uint64_t size_bytes);

/* Fill buf with `digits` random hexadecimal digits, 64 at most, and a NUL
 * (getrandom(2)). */
int text_random_hex(char *buf, size_t digits, struct error *err);

/* Put `text` between single quotes, so that a POSIX shell reads it literally;
 * words that need none stay bare. Heap; NULL with err set. */
char *text_shell_quote(const char *text, struct error *err);

/* Whether it may stand in a command as it is: letters, digits, "-", "_" and "."
 * of ASCII, no option, not empty. */
bool text_is_plain_word(const char *text);

#endif
