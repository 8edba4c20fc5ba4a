#include <string.h>

#include "base/auto.h"
#include "base/yaml.h"
#include "support.h"

static json_t *
parse(const char *text, struct error *err)
{
	return yaml_parse(text, strlen(text), "the index", err);
}

static void
assert_refused(const char *text, size_t length)
{
	struct error err = {0};
	auto_json json_t *value = yaml_parse(text, length, "the index", &err);

	assert_null(value);
	assert_error(&err, ERROR_DAMAGED);
	assert_non_null(strstr(err.text, "the index"));
}

/* What a document is in JSON. */
static void
assert_reads(const char *text, const char *expected)
{
	struct error err = {0};
	auto_json json_t *value = parse(text, &err);
	auto_free char *printed = NULL;

	assert_no_error(&err);
	printed = json_print(value, false, &err);
	assert_string_equal(printed, expected);
}

static void
a_document_becomes_json(void **state)
{
	(void)state;
	assert_reads("name: web\nempty: \"\"\nmap: {a: 1, b: two}\n",
	    "{\"name\":\"web\",\"empty\":\"\","
	    "\"map\":{\"a\":\"1\",\"b\":\"two\"}}");
	assert_reads("list:\n- x\n- y\n", "{\"list\":[\"x\",\"y\"]}");
	assert_reads("nested:\n  deep:\n    leaf: |\n      two\n      lines\n",
	    "{\"nested\":{\"deep\":{\"leaf\":\"two\\nlines\\n\"}}}");
	assert_reads(
	    "- - a\n  - b: c\n- []\n- {}\n", "[[\"a\",{\"b\":\"c\"}],[],{}]");
	assert_reads("alone\n", "\"alone\"");
}

static void
only_a_plain_null_is_no_string(void **state)
{
	(void)state;
	assert_reads("[~, null, Null, NULL, \"null\", '~', nil]",
	    "[null,null,null,null,\"null\",\"~\",\"nil\"]");
	assert_reads("a:\nb: \"\"\n", "{\"a\":null,\"b\":\"\"}");
	assert_reads("[true, 0x10, 1e3, 2001-01-01, off]",
	    "[\"true\",\"0x10\",\"1e3\",\"2001-01-01\",\"off\"]");
}

static void
what_readers_take_in_different_ways_is_refused(void **state)
{
	static const char *const bad[] = {
	    "a: 1\na: 2\n",
	    "x:\n  a: 1\n  \"a\": 2\n",
	    "a: \"x\\0y\"\n",
	    "\"x\\0y\": a\n",
	    "<<: {raw.lxc: x}\n",
	    "\"<<\": {raw.lxc: x}\n",
	    "? [complex]\n: 3\n",
	    "? {a: b}\n: 3\n",
	    "~: 1\n",
	    ": 1\n",
	    "a: !!str x\n",
	    "a: !!binary eA==\n",
	    "a: ! x\n",
	    "a: !!map {}\n",
	    "a: !!set {x}\n",
	    "a: !!seq []\n",
	    "!!str a: b\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_refused(bad[i], strlen(bad[i]));
	/* UTF-16, which libyaml would guess. */
	assert_refused("\xff\xfe"
		       "a\0:\0 \0b\0\n\0",
	    12);
}

static void
invalid_text_is_refused(void **state)
{
	static const char *const bad[] = {
	    "a: [1\n",
	    "a: \"x\n",
	    "{a: 1\n",
	    "a: b: c\n",
	    "a:\n\t- b\n",
	    "\xff\xfe\xfd",
	    "a: \x01\n",
	    "a: \"\xc0\xaf\"\n",
	    "- a\nb: c\n",
	    "%YAML 9.9\n---\na: 1\n",
	    "a: !nosuch!x y\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_refused(bad[i], strlen(bad[i]));
	assert_refused("a: x\0y\n", 7);
}

static void
aliases_are_refused(void **state)
{
	static const char bomb[] = "a: &a [x, x, x, x]\n"
				   "b: &b [*a, *a, *a, *a]\n"
				   "c: [*b, *b, *b, *b]\n";

	(void)state;
	assert_refused(bomb, strlen(bomb));
	assert_refused("a: &a 1\nb: *a\n", 14);
	assert_refused("b: *a\n", 6);
	assert_refused("a: &a [*a]\n", 11);
	assert_refused("x: &x {y: 1}\nz: {<<: *x}\n", 25);
}

static void
exactly_one_document(void **state)
{
	(void)state;
	assert_reads("---\na: 1\n...\n", "{\"a\":\"1\"}");
	assert_refused("a: 1\n---\na: 2\n", 14);
	assert_refused("---\na: 1\n---\n", 13);
	assert_refused("", 0);
	assert_refused("# nothing\n", 10);
}

/* `depth` sequences inside one another. */
static struct bytes
nested(size_t depth)
{
	struct bytes text = {0};

	for (size_t i = 0; i < depth; i++)
		bytes_add(&text, "[", 1);
	for (size_t i = 0; i < depth; i++)
		bytes_add(&text, "]", 1);
	return text;
}

static void
depth_is_limited(void **state)
{
	auto_bytes struct bytes fits = nested(64);
	auto_bytes struct bytes deep = nested(65);
	auto_bytes struct bytes absurd = nested(20000);
	struct error err = {0};
	auto_json json_t *value =
	    yaml_parse((char *)fits.data, fits.size, "x", &err);

	(void)state;
	assert_no_error(&err);
	assert_non_null(value);
	assert_refused((char *)deep.data, deep.size);
	assert_refused((char *)absurd.data, absurd.size);
}

static void
nodes_are_limited(void **state)
{
	/* The sequence is a node, too. */
	auto_bytes struct bytes text = bytes_zero(4 * (size_t)200000);
	struct error err = {0};
	auto_json json_t *value = NULL;

	(void)state;
	for (size_t i = 0; i < text.size; i += 4)
		memcpy(text.data + i, "- a\n", 4);
	value = yaml_parse((char *)text.data, text.size - 4, "x", &err);
	assert_no_error(&err);
	assert_int_equal(json_array_size(value), 199999);
	assert_refused((char *)text.data, text.size);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_document_becomes_json),
	    cmocka_unit_test(only_a_plain_null_is_no_string),
	    cmocka_unit_test(what_readers_take_in_different_ways_is_refused),
	    cmocka_unit_test(invalid_text_is_refused),
	    cmocka_unit_test(aliases_are_refused),
	    cmocka_unit_test(exactly_one_document),
	    cmocka_unit_test(depth_is_limited),
	    cmocka_unit_test(nodes_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
