#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "support.h"

static void
set_keeps_code_and_text(void **state)
{
	struct error err = {0};

	(void)state;
	assert_false(error_is_set(&err));
	assert_int_equal(
	    error_set(&err, ERROR_LOCKED, "'%s' is %d", "web", 7), -1);
	assert_true(error_is_set(&err));
	assert_int_equal(err.code, ERROR_LOCKED);
	assert_string_equal(err.text, "'web' is 7");
	assert_string_equal(err.hint, "");
}

static void
codes_are_the_published_statuses(void **state)
{
	(void)state;
	assert_int_equal(ERROR_FAILED, 1);
	assert_int_equal(ERROR_USAGE, 2);
	assert_int_equal(ERROR_PARTIAL, 3);
	assert_int_equal(ERROR_DENIED, 4);
	assert_int_equal(ERROR_DAMAGED, 5);
	assert_int_equal(ERROR_NOT_FOUND, 6);
	assert_int_equal(ERROR_AMBIGUOUS, 7);
	assert_int_equal(ERROR_EXISTS, 8);
	assert_int_equal(ERROR_UNREACHABLE, 9);
	assert_int_equal(ERROR_NO_DIRECTORY, 10);
	assert_int_equal(ERROR_LOCKED, 11);
	assert_int_equal(ERROR_KEY, 12);
	assert_int_equal(ERROR_NO_SPACE, 13);
	assert_int_equal(ERROR_UNSAFE, 14);
	assert_int_equal(ERROR_DRILL, 15);
	assert_int_equal(ERROR_INTERRUPTED, 128 + 2);
	assert_int_equal(ERROR_TERMINATED, 128 + 15);
}

static void
errno_becomes_code_and_reason(void **state)
{
	static const struct {
		int number;
		enum error_code code;
	} cases[] = {
	    {ENOSPC, ERROR_NO_SPACE},
	    {EDQUOT, ERROR_NO_SPACE},
	    {EFBIG, ERROR_NO_SPACE},
	    {ENOENT, ERROR_NOT_FOUND},
	    {EEXIST, ERROR_EXISTS},
	    {EACCES, ERROR_FAILED},
	    {EIO, ERROR_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct error err = {0};
		char expected[200];

		assert_int_equal(
		    error_set_errno(&err, cases[i].number, "'%s'", "x\ny"), -1);
		assert_int_equal(err.code, cases[i].code);
		(void)snprintf(expected, sizeof(expected), "'x\\ny': %s",
		    strerror(cases[i].number));
		assert_string_equal(err.text, expected);
	}
}

static void
memory_is_a_failure(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(error_set_memory(&err), -1);
	assert_error(&err, ERROR_FAILED);
}

static void
control_bytes_are_escaped(void **state)
{
	struct error err = {0};

	(void)state;
	error_set(&err, ERROR_FAILED, "'%s'", "a\x1b[31m\nb\x7f\xff");
	assert_string_equal(err.text, "'a\\x1b[31m\\nb\\x7f\\xff'");
	error_prefix(&err, "%s", "p\x07");
	assert_string_equal(err.text, "p\\x07: 'a\\x1b[31m\\nb\\x7f\\xff'");
	error_hint(&err, "rm '%s'", "a\rb\nc");
	assert_string_equal(err.hint, "rm 'a\\rb\\nc'");
}

static void
prefix_stands_in_front(void **state)
{
	struct error err = {0};

	(void)state;
	error_set(&err, ERROR_DENIED, "no");
	assert_int_equal(error_prefix(&err, "copy %d", 1), -1);
	assert_int_equal(error_prefix(&err, "run"), -1);
	assert_string_equal(err.text, "run: copy 1: no");
	assert_int_equal(err.code, ERROR_DENIED);
}

static void
hints_are_lines(void **state)
{
	struct error err = {0};

	(void)state;
	error_set(&err, ERROR_AMBIGUOUS, "two");
	assert_int_equal(error_hint(&err, "first %d", 1), -1);
	assert_string_equal(err.hint, "first 1");
	assert_int_equal(error_hint(&err, "second"), -1);
	assert_string_equal(err.hint, "first 1\nsecond");
}

static void
commands_can_be_pasted(void **state)
{
	struct error err = {0};

	(void)state;
	error_set(&err, ERROR_DENIED, "no");
	assert_int_equal(error_hint_command(&err, "incus", "project", "set",
			     "a;b $(c)", "k=allow", NULL),
	    -1);
	assert_string_equal(err.hint, "incus project set 'a;b $(c)' k=allow");
	error_hint_command(&err, "it's", "", NULL);
	assert_string_equal(
	    err.hint, "incus project set 'a;b $(c)' k=allow\n'it'\\''s' ''");
}

static void
clear_forgets(void **state)
{
	struct error err = {0};

	(void)state;
	error_set(&err, ERROR_KEY, "x");
	error_hint(&err, "y");
	error_clear(&err);
	assert_false(error_is_set(&err));
	assert_string_equal(err.text, "");
	assert_string_equal(err.hint, "");
	error_set(&err, ERROR_KEY, "z");
	assert_string_equal(err.text, "z");
	assert_string_equal(err.hint, "");
}

static void
long_text_stays_inside(void **state)
{
	static char long_text[3 * ERROR_TEXT_BYTES];
	struct error err = {0};

	(void)state;
	memset(long_text, 'a', sizeof(long_text) - 1);
	error_set(&err, ERROR_FAILED, "%s", long_text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	error_prefix(&err, "%s", long_text);
	assert_in_range(strlen(err.text), 1, sizeof(err.text) - 1);

	error_clear(&err);
	error_set_errno(&err, EIO, "%s", long_text);
	assert_in_range(strlen(err.text), 1, sizeof(err.text) - 1);

	/* All of these bytes are shown as four. */
	error_clear(&err);
	memset(long_text, '\x01', sizeof(long_text) - 1);
	error_set(&err, ERROR_FAILED, "%s", long_text);
	assert_in_range(strlen(err.text), 1, sizeof(err.text) - 1);
	assert_string_equal(err.text + strlen(err.text) - 3, "...");
}

/* A cut between the two bytes of a letter would be a byte for a terminal to
 * guess at. */
static void
prefix_cuts_between_letters(void **state)
{
	(void)state;
	for (size_t filler = 0; filler < 4; filler++) {
		static char letters[ERROR_TEXT_BYTES];
		struct error err = {0};
		char shown[2 * ERROR_TEXT_BYTES];

		memset(letters, '\0', sizeof(letters));
		for (size_t i = 0; i < 600; i++)
			memcpy(letters + 2 * i, "\xc3\xa9", 2);
		error_set(&err, ERROR_FAILED, "%s", letters);
		error_prefix(&err, "%.*s%s", (int)filler, "aaaa", letters);
		text_escape(shown, sizeof(shown), err.text, strlen(err.text));
		assert_null(strstr(shown, "\\x"));
	}
}

/* A command cut short is another command. */
static void
hints_are_whole_lines(void **state)
{
	struct error err = {0};
	const char *last;

	(void)state;
	error_set(&err, ERROR_AMBIGUOUS, "many");
	for (int i = 0; i < 1000; i++)
		error_hint(&err, "delete %06d whole", i);
	assert_in_range(
	    strlen(err.hint), sizeof(err.hint) - 25, sizeof(err.hint) - 1);
	last = strrchr(err.hint, '\n');
	assert_non_null(last);
	assert_int_equal(strlen(last), strlen("\ndelete 000000 whole"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(set_keeps_code_and_text),
	    cmocka_unit_test(codes_are_the_published_statuses),
	    cmocka_unit_test(errno_becomes_code_and_reason),
	    cmocka_unit_test(memory_is_a_failure),
	    cmocka_unit_test(control_bytes_are_escaped),
	    cmocka_unit_test(prefix_stands_in_front),
	    cmocka_unit_test(hints_are_lines),
	    cmocka_unit_test(commands_can_be_pasted),
	    cmocka_unit_test(clear_forgets),
	    cmocka_unit_test(long_text_stays_inside),
	    cmocka_unit_test(prefix_cuts_between_letters),
	    cmocka_unit_test(hints_are_whole_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
