#include <string.h>

#include "base/auto.h"
#include "base/json.h"
#include "support.h"

static json_t *
parse(const char *text, struct error *err)
{
	return json_parse(text, strlen(text), "the reply", err);
}

static void
valid_text_is_read(void **state)
{
	struct error err = {0};
	auto_json json_t *value = parse("{\"a\": {\"b\": [1, \"x\"]}}", &err);
	auto_json json_t *scalar = parse("5", &err);

	(void)state;
	assert_no_error(&err);
	assert_true(json_is_object(value));
	assert_int_equal(json_integer_value(scalar), 5);
}

static void
invalid_text_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    " ",
	    "{",
	    "{\"a\": }",
	    "{} x",
	    "{}{}",
	    "[1,]",
	    "nul",
	    "'a'",
	    "\"\xff\"",
	    "\"\xed\xa0\x80\"",
	    "\"\\u0000\"",
	    "\"\n\"",
	    "01",
	    "1e999",
	    "99999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct error err = {0};
		auto_json json_t *value = parse(bad[i], &err);

		assert_null(value);
		assert_error(&err, ERROR_DAMAGED);
		assert_non_null(strstr(err.text, "the reply"));
	}
}

static void
duplicate_keys_are_refused(void **state)
{
	struct error err = {0};
	auto_json json_t *value = parse("{\"x\": {\"a\": 1, \"a\": 2}}", &err);

	(void)state;
	assert_null(value);
	assert_error(&err, ERROR_DAMAGED);
}

static void
only_length_counts(void **state)
{
	struct error err = {0};
	auto_json json_t *value = json_parse("[1]garbage", 3, "x", &err);
	auto_json json_t *with_nul = json_parse("[1]\0", 4, "x", &err);

	(void)state;
	assert_non_null(value);
	assert_null(with_nul);
	assert_error(&err, ERROR_DAMAGED);
}

static void
depth_is_limited(void **state)
{
	static char text[200000];
	struct error err = {0};
	auto_json json_t *deep = NULL;
	auto_json json_t *shallow = NULL;

	(void)state;
	memset(text, '[', 100000);
	memset(text + 100000, ']', 100000);
	deep = json_parse(text, sizeof(text), "x", &err);
	assert_null(deep);
	assert_error(&err, ERROR_DAMAGED);

	error_clear(&err);
	shallow = json_parse(text + 99900, 200, "x", &err);
	assert_no_error(&err);
}

/* jansson quotes what it could not read. */
static void
message_is_safe_to_show(void **state)
{
	struct error err = {0};
	auto_json json_t *value = parse("\x1b[31m", &err);

	(void)state;
	assert_null(value);
	assert_error(&err, ERROR_DAMAGED);
	assert_null(strchr(err.text, '\x1b'));
}

static void
at_follows_keys(void **state)
{
	struct error err = {0};
	auto_json json_t *value =
	    parse("{\"a\": {\"b\": {\"c\": \"x\"}}, \"n\": null}", &err);

	(void)state;
	assert_string_equal(
	    json_string_value(json_at(value, "a", "b", "c", NULL)), "x");
	assert_null(json_at(value, "z", NULL));
	assert_null(json_at(value, "a", "z", "c", NULL));
	/* Through a string, a null, nothing at all. */
	assert_null(json_at(value, "a", "b", "c", "d", NULL));
	assert_null(json_at(value, "n", "d", NULL));
	assert_null(json_at(NULL, "a", NULL));
}

static void
getters_take_wrong_types(void **state)
{
	struct error err = {0};
	auto_json json_t *value = parse("{\"text\": \"x\", \"number\": 7, "
					"\"flag\": true, \"list\": [], "
					"\"null\": null, \"real\": 1.5}",
	    &err);
	static const char *const keys[] = {
	    "text", "number", "flag", "list", "null", "real", "missing"};

	(void)state;
	assert_string_equal(json_text(value, "text"), "x");
	assert_int_equal(json_number(value, "number"), 7);
	assert_true(json_flag(value, "flag"));
	for (size_t i = 0; i < COUNT(keys); i++) {
		if (strcmp(keys[i], "text") != 0)
			assert_null(json_text(value, keys[i]));
		if (strcmp(keys[i], "number") != 0)
			assert_int_equal(json_number(value, keys[i]), 0);
		if (strcmp(keys[i], "flag") != 0)
			assert_false(json_flag(value, keys[i]));
	}
	assert_null(json_text(NULL, "text"));
	assert_int_equal(json_number(NULL, "number"), 0);
	assert_false(json_flag(json_at(value, "list", NULL), "flag"));
}

static void
print_is_compact_or_pretty(void **state)
{
	struct error err = {0};
	auto_json json_t *value = parse("{\"a\": [1, \"\xc3\xa9\"]}", &err);
	auto_json json_t *scalar = parse("\"x\"", &err);
	auto_free char *compact = json_print(value, false, &err);
	auto_free char *pretty = json_print(value, true, &err);
	auto_free char *alone = json_print(scalar, false, &err);

	(void)state;
	assert_string_equal(compact, "{\"a\":[1,\"\xc3\xa9\"]}");
	assert_string_equal(
	    pretty, "{\n  \"a\": [\n    1,\n    \"\xc3\xa9\"\n  ]\n}");
	assert_string_equal(alone, "\"x\"");
	assert_no_error(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(valid_text_is_read),
	    cmocka_unit_test(invalid_text_is_refused),
	    cmocka_unit_test(duplicate_keys_are_refused),
	    cmocka_unit_test(only_length_counts),
	    cmocka_unit_test(depth_is_limited),
	    cmocka_unit_test(message_is_safe_to_show),
	    cmocka_unit_test(at_follows_keys),
	    cmocka_unit_test(getters_take_wrong_types),
	    cmocka_unit_test(print_is_compact_or_pretty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
