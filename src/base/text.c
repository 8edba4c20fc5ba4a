#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/auto.h"
#include "base/error.h"

char *
text_format(struct error *err, const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);

	if (length < 0) {
		error_set_memory(err);
		return NULL;
	}
	return text;
}

char *
text_copy(const char *bytes, size_t length, struct error *err)
{
	char *text = malloc(length + 1);

	if (text == NULL) {
		error_set_memory(err);
		return NULL;
	}
	if (length > 0)
		memcpy(text, bytes, length);
	text[length] = '\0';
	return text;
}

/* Decode one UTF-8 sequence. Returns its length, or 0 when it is not valid
 * (overlong, surrogate, past U+10FFFF, cut): RFC 3629. */
static size_t
utf8_decode(const unsigned char *bytes, size_t length, uint32_t *ret_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t point;
	size_t count;

	if (bytes[0] < 0x80)
		count = 1, point = bytes[0];
	else if ((bytes[0] & 0xe0) == 0xc0)
		count = 2, point = bytes[0] & 0x1fU;
	else if ((bytes[0] & 0xf0) == 0xe0)
		count = 3, point = bytes[0] & 0x0fU;
	else if ((bytes[0] & 0xf8) == 0xf0)
		count = 4, point = bytes[0] & 0x07U;
	else
		return 0;

	if (count > length)
		return 0;
	for (size_t i = 1; i < count; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		point = (point << 6) | (bytes[i] & 0x3fU);
	}
	if (point < least[count] || point > 0x10ffff)
		return 0;
	if (point >= 0xd800 && point <= 0xdfff)
		return 0;

	*ret_point = point;
	return count;
}

/* Whether a terminal would only print this code point: no C0, DEL, C1, no
 * bidirectional override or isolate, no zero-width or line separator. */
static bool
point_is_plain(uint32_t point)
{
	if (point < 0x20 || (point >= 0x7f && point <= 0x9f))
		return false;
	if (point == 0x061c || (point >= 0x200b && point <= 0x200f))
		return false;
	if (point >= 0x2028 && point <= 0x202e)
		return false;
	if (point >= 0x2060 && point <= 0x206f)
		return false;
	return point != 0xfeff;
}

/* One character as it may be shown, in `piece`; returns the bytes consumed. */
static size_t
escape_one(const unsigned char *bytes, size_t length, char piece[24])
{
	static const char named[] = "\n\t\r";
	static const char letter[] = "ntr";
	uint32_t point = 0;
	size_t count = utf8_decode(bytes, length, &point);
	const char *found;

	if (count > 0 && point_is_plain(point)) {
		memcpy(piece, bytes, count);
		piece[count] = '\0';
		return count;
	}

	found = bytes[0] != '\0' ? strchr(named, bytes[0]) : NULL;
	if (found != NULL) {
		(void)snprintf(piece, 24, "\\%c", letter[found - named]);
		return 1;
	}

	if (count == 0)
		count = 1;
	piece[0] = '\0';
	for (size_t i = 0; i < count; i++)
		(void)snprintf(piece + 4 * i, 24 - 4 * i, "\\x%02x", bytes[i]);
	return count;
}

char *
text_escape(char *buf, size_t size, const char *bytes, size_t length)
{
	const unsigned char *next = (const unsigned char *)bytes;
	size_t used = 0;
	size_t whole = 0; /* a place where "..." and NUL still fit */

	while (length > 0) {
		char piece[24];
		size_t taken = escape_one(next, length, piece);
		size_t shown = strlen(piece);

		if (used + shown + 1 > size) {
			memcpy(buf + whole, "...", 4);
			return buf;
		}
		memcpy(buf + used, piece, shown);
		used += shown;
		if (used + 4 <= size)
			whole = used;
		next += taken;
		length -= taken;
	}
	buf[used] = '\0';
	return buf;
}

bool
text_parse_number(const char *text, uint64_t maximum, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (*text == '\0')
		return false;

	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (__builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(
			value, (uint64_t)(*text - '0'), &value))
			return false;
		if (value > maximum)
			return false;
	}

	*ret_value = value;
	return true;
}

/* A number, and the letter behind it; '\0' is none. */
static bool
parse_with_letter(
    const char *text, uint64_t maximum, uint64_t *ret_value, char *ret_letter)
{
	char digits[24]; /* of any uint64_t, and a NUL */
	size_t length = strlen(text);

	if (length < 2 || length > sizeof(digits))
		return false;
	memcpy(digits, text, length - 1);
	digits[length - 1] = '\0';
	*ret_letter = text[length - 1];
	return text_parse_number(digits, maximum, ret_value) && *ret_value > 0;
}

bool
text_parse_percent(const char *text, uint64_t maximum, uint64_t *ret_value)
{
	char letter;

	return parse_with_letter(text, maximum, ret_value, &letter) &&
	       letter == '%';
}

bool
text_parse_seconds(const char *text, uint64_t maximum, uint64_t *ret_seconds)
{
	uint64_t number;
	char letter;

	if (text_parse_number(text, maximum, ret_seconds))
		return true;
	if (!parse_with_letter(text, maximum, &number, &letter))
		return false;
	if (letter == 'm')
		number *= 60;
	else if (letter == 'h')
		number *= 3600;
	else if (letter != 's')
		return false;
	*ret_seconds = number;
	return number <= maximum;
}

bool
text_parse_rate(const char *text, uint64_t *ret_bytes)
{
	static const char letters[] = "KMG";
	const char *found;
	uint64_t number;
	char letter;

	if (!parse_with_letter(text, UINT32_MAX, &number, &letter) ||
	    letter == '\0')
		return false;
	found = strchr(letters, letter);
	if (found == NULL)
		return false;
	*ret_bytes = number << (10 * (found - letters + 1));
	return true;
}

bool
text_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool
text_ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text);
	size_t tail = strlen(suffix);

	return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

char *
text_show_size(char buf[TEXT_SIZE_BYTES], uint64_t size_bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
	double value = (double)size_bytes / 1024;
	size_t unit = 0;

	if (size_bytes < 1024) {
		(void)snprintf(
		    buf, TEXT_SIZE_BYTES, "%u B", (unsigned int)size_bytes);
		return buf;
	}
	/* What would be rounded to 1024.0 is 1.0 of the next unit. */
	while (
	    value >= 1023.95 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	(void)snprintf(buf, TEXT_SIZE_BYTES, "%.1f %s", value, units[unit]);
	return buf;
}

int
text_random_hex(char *buf, size_t digits, struct error *err)
{
	static const char alphabet[] = "0123456789abcdef";
	unsigned char random[64];

	assert(digits <= sizeof(random));
	/* At most 256 bytes are never cut short: getrandom(2). */
	if (getrandom(random, digits, 0) != (ssize_t)digits)
		return error_set_errno(err, errno, "getrandom");

	for (size_t i = 0; i < digits; i++)
		buf[i] = alphabet[random[i] & 15U];
	buf[digits] = '\0';
	return 0;
}

char *
text_shell_quote(const char *text, struct error *err)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./:@=+,%";
	size_t quotes = 0;
	char *quoted;
	char *out;

	if (*text != '\0' && text[strspn(text, plain)] == '\0')
		return text_copy(text, strlen(text), err);

	for (const char *c = text; *c != '\0'; c++)
		quotes += *c == '\'';
	quoted = malloc(strlen(text) + 4 * quotes + 3);
	if (quoted == NULL) {
		error_set_memory(err);
		return NULL;
	}

	out = quoted;
	*out++ = '\'';
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '\'')
			out = stpcpy(out, "'\\''");
		else
			*out++ = *c;
	}
	*out++ = '\'';
	*out = '\0';
	return quoted;
}

bool
text_is_plain_word(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.";

	return *text != '\0' && *text != '-' &&
	       text[strspn(text, plain)] == '\0';
}
