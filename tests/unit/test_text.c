#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/text.h"
#include "support.h"

static void
assert_escaped(const char *bytes, size_t length, const char *expected)
{
	char buf[200];

	assert_ptr_equal(text_escape(buf, sizeof(buf), bytes, length), buf);
	assert_string_equal(buf, expected);
}

static void
escape_keeps_plain_text(void **state)
{
	static const char *const plain[] = {
	    "", "abc ~!\"'\\", "\xc3\xa9t\xc3\xa9", /* U+00E9 */
	    "\xc2\xa0",				    /* the first after C1 */
	    "\xe2\x82\xac",			    /* U+20AC */
	    "\xed\x9f\xbf",	/* U+D7FF, before surrogates */
	    "\xee\x80\x80",	/* U+E000, after them */
	    "\xf0\x9f\x98\x80", /* U+1F600 */
	    "\xf4\x8f\xbf\xbf", /* U+10FFFF */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(plain); i++)
		assert_escaped(plain[i], strlen(plain[i]), plain[i]);
}

static void
escape_shows_every_control_byte(void **state)
{
	(void)state;
	for (int byte = 0; byte < 0x20; byte++) {
		char raw = (char)byte;
		char expected[8];

		(void)snprintf(
		    expected, sizeof(expected), "\\x%02x", (unsigned int)byte);
		if (byte == '\n')
			memcpy(expected, "\\n", 3);
		if (byte == '\t')
			memcpy(expected, "\\t", 3);
		if (byte == '\r')
			memcpy(expected, "\\r", 3);
		assert_escaped(&raw, 1, expected);
	}
	assert_escaped("\x7f", 1, "\\x7f");

	for (int byte = 0x80; byte <= 0xff; byte++) {
		char raw = (char)byte;
		char expected[8];

		(void)snprintf(
		    expected, sizeof(expected), "\\x%02x", (unsigned int)byte);
		assert_escaped(&raw, 1, expected);
	}
	for (unsigned int point = 0x80; point <= 0x9f; point++) {
		char raw[2] = {'\xc2', (char)point};
		char expected[12];

		(void)snprintf(
		    expected, sizeof(expected), "\\xc2\\x%02x", point);
		assert_escaped(raw, 2, expected);
	}
}

static void
escape_refuses_invalid_utf8(void **state)
{
	static const struct {
		const char *raw;
		const char *shown;
	} cases[] = {
	    /* Overlong forms of '/', NUL, U+07FF, U+FFFF. */
	    {"\xc0\xaf", "\\xc0\\xaf"},
	    {"\xc1\xbf", "\\xc1\\xbf"},
	    {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
	    {"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},
	    {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},
	    {"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},
	    /* An overlong escape. */
	    {"\xc0\x9b[31m", "\\xc0\\x9b[31m"},
	    /* Surrogates, first and last. */
	    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
	    {"\xed\xbf\xbf", "\\xed\\xbf\\xbf"},
	    /* Past U+10FFFF, and forms that no longer exist. */
	    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
	    {"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},
	    {"\xff\xfe", "\\xff\\xfe"},
	    /* Cut, at the end and by something else. */
	    {"\xc3", "\\xc3"},
	    {"\xe2\x82", "\\xe2\\x82"},
	    {"\xe2\x82"
	     "a",
		"\\xe2\\x82"
		"a"},
	    {"\xf0\x9f\x98", "\\xf0\\x9f\\x98"},
	    {"\xc3(", "\\xc3("},
	    {"\x80"
	     "a",
		"\\x80"
		"a"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_escaped(
		    cases[i].raw, strlen(cases[i].raw), cases[i].shown);
}

static void
escape_shows_bidirectional_controls(void **state)
{
	static const struct {
		const char *raw;
		const char *shown;
	} cases[] = {
	    {"\xd8\x9c", "\\xd8\\x9c"},		 /* U+061C ALM */
	    {"\xe2\x80\x8b", "\\xe2\\x80\\x8b"}, /* zero width space */
	    {"\xe2\x80\x8e", "\\xe2\\x80\\x8e"}, /* LRM */
	    {"\xe2\x80\x8f", "\\xe2\\x80\\x8f"}, /* RLM */
	    {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"}, /* line separator */
	    {"\xe2\x80\xa9", "\\xe2\\x80\\xa9"},
	    {"\xe2\x80\xaa", "\\xe2\\x80\\xaa"}, /* LRE */
	    {"\xe2\x80\xae", "\\xe2\\x80\\xae"}, /* RLO */
	    {"\xe2\x81\xa6", "\\xe2\\x81\\xa6"}, /* LRI */
	    {"\xe2\x81\xa9", "\\xe2\\x81\\xa9"}, /* PDI */
	    {"\xef\xbb\xbf", "\\xef\\xbb\\xbf"}, /* BOM */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_escaped(
		    cases[i].raw, strlen(cases[i].raw), cases[i].shown);
}

static void
escape_takes_length_not_nul(void **state)
{
	(void)state;
	assert_escaped("a\0b", 3, "a\\x00b");
	assert_escaped("abc", 2, "ab");
	/* The byte behind the length is not looked at. */
	assert_escaped("\xc3\xa9", 1, "\\xc3");
}

static void
escape_cuts_with_dots(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(text_escape(buf, 8, "1234567", 7), "1234567");
	assert_string_equal(text_escape(buf, 8, "12345678", 8), "1234...");
	/* An escape and a letter are shown whole or not at all. */
	assert_string_equal(text_escape(buf, 8, "12\x01\x02", 4), "12...");
	assert_string_equal(
	    text_escape(buf, 8, "12\xc3\xa9\xc3\xa9\xc3\xa9", 8),
	    "12\xc3\xa9...");
	assert_string_equal(
	    text_escape(buf, 8, "123\xc3\xa9\xc3\xa9\xc3\xa9", 9), "123...");
	assert_string_equal(text_escape(buf, 9, "1234\xc3\xa9\xc3\xa9", 8),
	    "1234\xc3\xa9\xc3\xa9");
}

/* For every size of the buffer: no byte behind it, a NUL, only plain bytes. */
static void
escape_never_leaves_its_buffer(void **state)
{
	auto_bytes struct bytes noise = bytes_random(300, 5);

	(void)state;
	for (size_t size = 8; size < 100; size++) {
		for (size_t length = 0; length < 60; length++) {
			char buf[101];
			char again[500];

			memset(buf, '#', sizeof(buf));
			text_escape(buf, size, (char *)noise.data, length);
			assert_in_range(strnlen(buf, size), 0, size - 1);
			for (size_t i = size; i < sizeof(buf); i++)
				assert_int_equal(buf[i], '#');
			text_escape(again, sizeof(again), buf, strlen(buf));
			assert_string_equal(again, buf);
		}
	}
}

static void
numbers_are_the_whole_text(void **state)
{
	static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "0x10",
	    "1.0", "1e3", "a", "1a", "\xd9\xa1", "18446744073709551616",
	    "99999999999999999999999"};
	uint64_t value = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(text_parse_number(bad[i], UINT64_MAX, &value));
		assert_int_equal(value, 77);
	}
	assert_true(text_parse_number("0", 0, &value));
	assert_int_equal(value, 0);
	assert_true(text_parse_number("007", 7, &value));
	assert_int_equal(value, 7);
	assert_true(text_parse_number("100", 100, &value));
	assert_int_equal(value, 100);
	value = 77;
	assert_false(text_parse_number("101", 100, &value));
	assert_false(text_parse_number("1000", 100, &value));
	assert_int_equal(value, 77);
	assert_true(
	    text_parse_number("18446744073709551615", UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	assert_false(
	    text_parse_number("18446744073709551615", UINT64_MAX - 1, &value));
}

static void
starts_and_ends(void **state)
{
	(void)state;
	assert_true(text_starts_with("abc", ""));
	assert_true(text_starts_with("abc", "abc"));
	assert_false(text_starts_with("ab", "abc"));
	assert_false(text_starts_with("xabc", "abc"));
	assert_true(text_ends_with("a.tar.gz", ".gz"));
	assert_true(text_ends_with("abc", ""));
	assert_true(text_ends_with("abc", "abc"));
	assert_false(text_ends_with("gz", ".gz"));
	assert_false(text_ends_with("a.gz.x", ".gz"));
}

static void
sizes_are_shown_in_iec_units(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *shown;
	} cases[] = {
	    {0, "0 B"},
	    {1023, "1023 B"},
	    {1024, "1.0 KiB"},
	    {1536, "1.5 KiB"},
	    {1048576, "1.0 MiB"},
	    /* Never four digits before the point where a unit is larger. */
	    {1048575, "1.0 MiB"},
	    {1073741823, "1.0 GiB"},
	    {UINT64_C(1610612736), "1.5 GiB"},
	    {UINT64_C(1) << 40, "1.0 TiB"},
	    {UINT64_C(1) << 50, "1.0 PiB"},
	    {UINT64_MAX, "16384.0 PiB"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[TEXT_SIZE_BYTES];

		assert_ptr_equal(text_show_size(buf, cases[i].bytes), buf);
		assert_string_equal(buf, cases[i].shown);
	}
}

static void
random_digits_differ(void **state)
{
	char one[65];
	char two[65];
	struct error err = {0};

	(void)state;
	memset(one, '#', sizeof(one));
	assert_int_equal(text_random_hex(one, 0, &err), 0);
	assert_string_equal(one, "");
	for (size_t digits = 1; digits <= 64; digits++) {
		memset(one, '#', sizeof(one));
		assert_int_equal(text_random_hex(one, digits, &err), 0);
		assert_int_equal(strnlen(one, sizeof(one)), digits);
		assert_int_equal(strspn(one, "0123456789abcdef"), digits);
		if (digits < 64)
			assert_int_equal(one[digits + 1], '#');
	}
	assert_int_equal(text_random_hex(two, 64, &err), 0);
	assert_string_not_equal(one, two);
}

/* What sh makes of a quoted word, without a shell: single quotes, and \'
 * between them. */
static void
assert_unquotes_to(const char *quoted, const char *expected)
{
	char buf[400];
	size_t used = 0;
	bool inside = false;

	for (const char *c = quoted; *c != '\0'; c++) {
		if (*c == '\'') {
			inside = !inside;
			continue;
		}
		if (!inside && *c == '\\')
			c++;
		else if (!inside)
			assert_null(strchr(" \t\n;&|<>()$`\"*?[#~!{", *c));
		buf[used++] = *c;
	}
	buf[used] = '\0';
	assert_false(inside);
	assert_string_equal(buf, expected);
}

static void
shell_quote_is_literal(void **state)
{
	static const struct {
		const char *raw;
		const char *quoted;
	} cases[] = {
	    {"plain", "plain"},
	    {"/a/b-c_d.e:f@g=h+i,j%k", "/a/b-c_d.e:f@g=h+i,j%k"},
	    {"", "''"},
	    {"a b", "'a b'"},
	    {"it's", "'it'\\''s'"},
	    {"'", "''\\'''"},
	    {"''", "''\\'''\\'''"},
	    {"a\nb", "'a\nb'"},
	    {"$(id) `id` $HOME", "'$(id) `id` $HOME'"},
	    {"a\\b", "'a\\b'"},
	    {"~", "'~'"},
	    {"a;b&c|d", "'a;b&c|d'"},
	    {"\xc3\xa9", "'\xc3\xa9'"},
	    {"*", "'*'"},
	    {"#", "'#'"},
	    {"!x", "'!x'"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct error err = {0};
		auto_free char *quoted = text_shell_quote(cases[i].raw, &err);

		assert_non_null(quoted);
		assert_string_equal(quoted, cases[i].quoted);
		assert_unquotes_to(quoted, cases[i].raw);
	}
}

static void
format_and_copy_own_their_text(void **state)
{
	struct error err = {0};
	auto_free char *text = text_format(&err, "%s-%d", "a", 5);
	auto_free char *copy = text_copy("a\0bc", 3, &err);
	auto_free char *empty = text_copy(NULL, 0, &err);

	(void)state;
	assert_string_equal(text, "a-5");
	assert_memory_equal(copy, "a\0b\0", 4);
	assert_string_equal(empty, "");
	assert_no_error(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(escape_keeps_plain_text),
	    cmocka_unit_test(escape_shows_every_control_byte),
	    cmocka_unit_test(escape_refuses_invalid_utf8),
	    cmocka_unit_test(escape_shows_bidirectional_controls),
	    cmocka_unit_test(escape_takes_length_not_nul),
	    cmocka_unit_test(escape_cuts_with_dots),
	    cmocka_unit_test(escape_never_leaves_its_buffer),
	    cmocka_unit_test(numbers_are_the_whole_text),
	    cmocka_unit_test(starts_and_ends),
	    cmocka_unit_test(sizes_are_shown_in_iec_units),
	    cmocka_unit_test(random_digits_differ),
	    cmocka_unit_test(shell_quote_is_literal),
	    cmocka_unit_test(format_and_copy_own_their_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
