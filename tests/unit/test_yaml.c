#include <string.h>

#include "base/yaml.h"
#include "support.h"

static struct yaml *
parse(const char *text, struct error *err)
{
	return yaml_parse(text, strlen(text), "the index", err);
}

static void
assert_refused(const char *text, size_t length)
{
	struct error err = {0};
	auto_yaml struct yaml *yaml =
	    yaml_parse(text, length, "the index", &err);

	assert_null(yaml);
	assert_error(&err, ERROR_DAMAGED);
	assert_non_null(strstr(err.text, "the index"));
}

static void
a_document_is_read_by_path(void **state)
{
	struct error err = {0};
	auto_yaml struct yaml *yaml = parse("name: web\n"
					    "empty: \"\"\n"
					    "map: {a: 1, b: two}\n"
					    "list:\n- x\n- y\n"
					    "nested:\n  deep:\n    leaf: ok\n",
	    &err);
	struct yaml_node root = yaml_root(yaml);
	struct yaml_node list = yaml_get(root, "list");

	(void)state;
	assert_no_error(&err);
	assert_true(yaml_exists(root));
	assert_string_equal(yaml_text(yaml_get(root, "name")), "web");
	assert_string_equal(yaml_text(yaml_get(root, "empty")), "");
	assert_string_equal(
	    yaml_text(yaml_get(yaml_get(root, "map"), "b")), "two");
	assert_string_equal(yaml_text(yaml_item(list, 0)), "x");
	assert_string_equal(yaml_text(yaml_item(list, 1)), "y");
	assert_false(yaml_exists(yaml_item(list, 2)));
	assert_string_equal(
	    yaml_text(
		yaml_get(yaml_get(yaml_get(root, "nested"), "deep"), "leaf")),
	    "ok");
}

static void
pairs_come_in_order(void **state)
{
	struct error err = {0};
	auto_yaml struct yaml *yaml =
	    parse("b: 1\na: [x]\n? [complex]\n: 3\n", &err);
	struct yaml_node value;
	const char *key;

	(void)state;
	assert_no_error(&err);
	assert_true(yaml_pair(yaml_root(yaml), 0, &key, &value));
	assert_string_equal(key, "b");
	assert_string_equal(yaml_text(value), "1");
	assert_true(yaml_pair(yaml_root(yaml), 1, &key, &value));
	assert_string_equal(key, "a");
	assert_string_equal(yaml_text(yaml_item(value, 0)), "x");
	/* A key that is no text. */
	assert_true(yaml_pair(yaml_root(yaml), 2, &key, &value));
	assert_string_equal(key, "");
	assert_string_equal(yaml_text(value), "3");
	assert_false(yaml_pair(yaml_root(yaml), 3, &key, &value));
}

static void
what_is_missing_reads_as_missing(void **state)
{
	struct error err = {0};
	auto_yaml struct yaml *yaml =
	    parse("text: x\nnone: null\ntilde: ~\nlist: [a]\nvoid:\n", &err);
	struct yaml_node root = yaml_root(yaml);
	struct yaml_node nothing = {0};
	struct yaml_node value;
	const char *key;

	(void)state;
	assert_no_error(&err);
	assert_false(yaml_exists(nothing));
	assert_null(yaml_text(nothing));
	assert_false(yaml_exists(yaml_get(nothing, "a")));
	assert_false(yaml_exists(yaml_item(nothing, 0)));
	assert_false(yaml_pair(nothing, 0, &key, &value));

	assert_false(yaml_exists(yaml_get(root, "absent")));
	assert_false(yaml_exists(yaml_get(yaml_get(root, "text"), "a")));
	assert_false(yaml_exists(yaml_get(yaml_get(root, "none"), "a")));
	assert_false(yaml_exists(yaml_get(yaml_get(root, "list"), "a")));
	assert_false(yaml_exists(yaml_item(yaml_get(root, "tilde"), 0)));
	assert_false(yaml_exists(yaml_item(root, 0)));
	assert_false(yaml_pair(yaml_get(root, "void"), 0, &key, &value));
	assert_null(yaml_text(yaml_get(root, "list")));
	assert_null(yaml_text(root));
}

static void
the_first_of_two_keys_counts(void **state)
{
	struct error err = {0};
	auto_yaml struct yaml *yaml = parse("a: 1\na: 2\n", &err);

	(void)state;
	assert_no_error(&err);
	assert_string_equal(yaml_text(yaml_get(yaml_root(yaml), "a")), "1");
}

static void
nul_in_a_scalar_is_no_text(void **state)
{
	struct error err = {0};
	auto_yaml struct yaml *yaml = parse("a: \"x\\0y\"\nb: z\n", &err);

	(void)state;
	assert_no_error(&err);
	assert_true(yaml_exists(yaml_get(yaml_root(yaml), "a")));
	assert_null(yaml_text(yaml_get(yaml_root(yaml), "a")));
	assert_string_equal(yaml_text(yaml_get(yaml_root(yaml), "b")), "z");
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
	struct error err = {0};
	auto_yaml struct yaml *framed = parse("---\na: 1\n...\n", &err);

	(void)state;
	assert_no_error(&err);
	assert_string_equal(yaml_text(yaml_get(yaml_root(framed), "a")), "1");
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
	auto_yaml struct yaml *yaml =
	    yaml_parse((char *)fits.data, fits.size, "x", &err);

	(void)state;
	assert_no_error(&err);
	assert_non_null(yaml);
	assert_refused((char *)deep.data, deep.size);
	assert_refused((char *)absurd.data, absurd.size);
}

static void
nodes_are_limited(void **state)
{
	/* The sequence is a node, too. */
	auto_bytes struct bytes text = bytes_zero(4 * (size_t)200000);
	struct error err = {0};
	auto_yaml struct yaml *yaml = NULL;

	(void)state;
	for (size_t i = 0; i < text.size; i += 4)
		memcpy(text.data + i, "- a\n", 4);
	yaml = yaml_parse((char *)text.data, text.size - 4, "x", &err);
	assert_no_error(&err);
	assert_string_equal(yaml_text(yaml_item(yaml_root(yaml), 199998)), "a");
	assert_refused((char *)text.data, text.size);
}

static void
free_of_nothing(void **state)
{
	(void)state;
	yaml_dispose(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_document_is_read_by_path),
	    cmocka_unit_test(pairs_come_in_order),
	    cmocka_unit_test(what_is_missing_reads_as_missing),
	    cmocka_unit_test(the_first_of_two_keys_counts),
	    cmocka_unit_test(nul_in_a_scalar_is_no_text),
	    cmocka_unit_test(invalid_text_is_refused),
	    cmocka_unit_test(aliases_are_refused),
	    cmocka_unit_test(exactly_one_document),
	    cmocka_unit_test(depth_is_limited),
	    cmocka_unit_test(nodes_are_limited),
	    cmocka_unit_test(free_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
