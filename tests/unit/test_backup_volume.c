#include <stdio.h>
#include <string.h>

#include "stream/backup_check.h"
#include "stream/backup_index.h"
#include "stream/backup_match.h"
#include "tars.h"

/* The backups of custom volumes; those of instances are in test_backup_check.c.
 */

#define VOLUME "backup/volume"
#define SNAPSHOT VOLUME "-snapshots/s-0"

#define INDEX(content_type, optimized)                                         \
	"name: data\n"                                                         \
	"backend: btrfs\n"                                                     \
	"pool: default\n"                                                      \
	"snapshots: [s-0]\n"                                                   \
	"optimized: " optimized "\n"                                           \
	"type: custom\n"                                                       \
	"config:\n"                                                            \
	"  {volume: {name: data, type: custom, config: {user.a: b},\n"         \
	"    content_type: " content_type ", project: default},\n"             \
	"  volume_snapshots: [{name: s-0, config: {},\n"                       \
	"    content_type: " content_type "}]}\n"

static const char tree_index[] = INDEX("filesystem", "false");
static const char disk_index[] = INDEX("block", "false");
static const char stream_index[] = INDEX("filesystem", "true");

#define FIRST(text)                                                            \
	{                                                                      \
		"backup/index.yaml", '0', text, sizeof(text) - 1, NULL, false  \
	}

static const struct tar_entry tree[] = {
    FIRST(tree_index),
    {SNAPSHOT, '5', NULL, 0, NULL, false},
    {SNAPSHOT "/old", '0', "x", 1, NULL, false},
    {VOLUME, '5', NULL, 0, NULL, true},
    {VOLUME "/a", '0', "hello", 5, NULL, true},
    {VOLUME "/b", '1', NULL, 0, VOLUME "/a", false},
    {VOLUME "/c", '2', NULL, 0, "/etc/passwd", false},
    {VOLUME "/fifo", '6', NULL, 0, NULL, false},
    {VOLUME "/null", '3', NULL, 0, NULL, false},
    {0},
};

static const struct tar_entry disk[] = {
    FIRST(disk_index),
    {SNAPSHOT ".img", '0', "old", 3, NULL, false},
    {VOLUME ".img", '0', "new", 3, NULL, false},
    {0},
};

static const struct tar_entry streams[] = {
    FIRST(stream_index),
    {"backup/optimized_header.yaml", '0', "a: b\n", 5, NULL, false},
    {SNAPSHOT ".bin", '0', "old", 3, NULL, false},
    {VOLUME ".bin", '0', "new", 3, NULL, false},
    {0},
};

static const struct {
	const char *what;
	const struct tar_entry *entries;
	size_t count;
} kinds[] = {
    {"a tree", tree, COUNT(tree) - 1},
    {"a disk", disk, COUNT(disk) - 1},
    {"streams", streams, COUNT(streams) - 1},
};

static int
count_index(void *data, const json_t *root, struct error *err)
{
	(void)err;
	assert_string_equal(json_text(root, "type"), "custom");
	(*(int *)data)++;
	return 0;
}

static int
check(const struct bytes *tar, struct backup_counts *counts, struct error *err)
{
	int indexes = 0;
	struct stream *from = source_new(tar->data, tar->size, 0, SOURCE_ENDS);
	const struct backup_listener listener = {
	    .data = &indexes, .on_index = count_index};
	int status = backup_check(from, &listener, counts, err);

	assert_true(status < 0 || indexes == 1);
	stream_free(from);
	return status;
}

static void
refuse(const struct tar_entry *entries, const char *says, const char *what)
{
	auto_bytes struct bytes tar = tar_make(entries);
	struct backup_counts counts = {0};
	struct error err = {0};

	if (check(&tar, &counts, &err) == 0)
		fail_msg("%s was accepted", what);
	if (err.code != ERROR_UNSAFE || strstr(err.text, says) == NULL)
		fail_msg("%s: %d, %s", what, err.code, err.text);
}

static void
what_incus_writes_is_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		auto_bytes struct bytes tar = tar_make(kinds[i].entries);
		struct backup_counts counts = {0};
		struct error err = {0};

		if (check(&tar, &counts, &err) < 0)
			fail_msg("%s: %s", kinds[i].what, err.text);
		assert_int_equal(counts.entries, kinds[i].count);
		assert_int_equal(counts.tar_size_bytes, tar.size);
	}
}

static void
every_truncation_is_damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		auto_bytes struct bytes tar = tar_make(kinds[i].entries);

		for (size_t size = 0; size < tar.size; size++) {
			struct bytes cut = {tar.data, size};
			struct backup_counts counts = {0};
			struct error err = {0};

			assert_int_equal(check(&cut, &counts, &err), -1);
			assert_error(&err, ERROR_DAMAGED);
		}
	}
}

/* Whole as the tar is: with any member left out that is not below another. */
static void
all_that_the_index_promises_is_there(void **state)
{
	static const struct {
		size_t kind;
		size_t left_out;
		size_t more;
		const char *says;
	} cases[] = {
	    {0, 1, 2, "'" SNAPSHOT "' is not in it"},
	    {0, 3, 6, "'" VOLUME "' is not in it"},
	    {1, 1, 1, "'" SNAPSHOT ".img' is not in it"},
	    {1, 2, 1, "'" VOLUME ".img' is not in it"},
	    {2, 2, 1, "'" SNAPSHOT ".bin' is not in it"},
	    {2, 3, 1, "'" VOLUME ".bin' is not in it"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct tar_entry *all = kinds[cases[i].kind].entries;
		struct tar_entry some[COUNT(tree)] = {0};
		size_t count = 0;

		for (size_t k = 0; all[k].name != NULL; k++) {
			if (k < cases[i].left_out ||
			    k >= cases[i].left_out + cases[i].more)
				some[count++] = all[k];
		}
		refuse(some, cases[i].says, cases[i].says);
	}
}

static void
nothing_else_is_there(void **state)
{
	static const struct tar_entry more[] = {
	    {VOLUME, '5', NULL, 0, NULL, false},
	    {VOLUME ".img", '0', "x", 1, NULL, false},
	    {VOLUME "/a", '0', "x", 1, NULL, false},
	    {VOLUME "/c/passwd", '0', "x", 1, NULL, false},
	    {VOLUME "/d/x", '0', "x", 1, NULL, false},
	    {VOLUME "/x", '1', NULL, 0, SNAPSHOT "/old", false},
	    {VOLUME "/x", '1', NULL, 0, "backup/index.yaml", false},
	    {VOLUME "/x", '1', NULL, 0, "/etc/shadow", false},
	    {VOLUME "/../x", '0', "x", 1, NULL, false},
	    {VOLUME "-snapshots/s-1", '5', NULL, 0, NULL, false},
	    {VOLUME "-snapshots/s-1.img", '0', "x", 1, NULL, false},
	    {"backup/container", '5', NULL, 0, NULL, false},
	    {"backup/container.bin", '0', "x", 1, NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		for (size_t k = 0; k < COUNT(more); k++) {
			struct tar_entry all[COUNT(tree) + 1] = {0};

			memcpy(all, kinds[i].entries,
			    kinds[i].count * sizeof(all[0]));
			all[kinds[i].count] = more[k];
			refuse(all, more[k].name, more[k].name);
		}
	}
}

/* The index ---------------------------------------------------------------- */

static void
match(const char *from, const char *to, enum error_code code)
{
	char text[sizeof(tree_index) + 100];
	const char *at = strstr(tree_index, from);
	struct backup_index index = {0};
	struct error err = {0};
	int status;

	assert_non_null(at);
	(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - tree_index),
	    tree_index, to, at + strlen(from));
	status = backup_index_parse(text, strlen(text), &index, &err);
	if (status == 0)
		status = backup_match_index(&index, &err);
	if ((status < 0) != (code != ERROR_NONE) || err.code != code)
		fail_msg("'%s': %d, %s", to, err.code, err.text);
	backup_index_clear(&index);
}

static void
an_index_may_vary(void **state)
{
	(void)state;
	match("volume_snapshots: [{name: s-0",
	    "volume_snapshots: [{name: data/s-0", ERROR_NONE);
	match("project: default}", "used_by: []}", ERROR_NONE);
	match("{user.a: b}", "{}", ERROR_NONE);
	match("backend: btrfs\n", "", ERROR_NONE);
	match("optimized: false", "optimized_header: true", ERROR_NONE);
	match("{volume:", "{pool: {name: default}, volume:", ERROR_NONE);
}

static void
an_index_without_what_the_daemon_reads(void **state)
{
	static const struct {
		const char *from;
		const char *to;
	} changes[] = {
	    {"name: data\n", "name: other\n"},
	    {"name: data\n", "name: \"data/x\"\n"},
	    {"name: data\n", "name: \"da ta\"\n"},
	    {"pool: default\n", ""},
	    {"{volume:", "{volumes:"},
	    {"{volume: {", "{volume: null, other: {"},
	    {"{name: data", "{name: other"},
	    {"type: custom, ", ""},
	    {"type: custom, ", "type: container, "},
	    {"{user.a: b}", "null"},
	    {"{user.a: b}", "[]"},
	    {"{user.a: b}", "{user.a: [b]}"},
	    {"{user.a: b}", "{user.a: {b: c}}"},
	    {"content_type: filesystem, project", "project"},
	    {"content_type: filesystem, project",
		"content_type: block, project"},
	    {"content_type: filesystem, project", "content_type: x, project"},
	    {"content_type: filesystem}]", "content_type: block}]"},
	    {"config: {},\n", "config: null,\n"},
	    {"config: {},\n", "config: {a: [b]},\n"},
	    {"config: {},\n", ""},
	    {"[{name: s-0", "[null, {name: s-0"},
	    {"[{name: s-0", "[{name: s-1"},
	    {"[{name: s-0", "[{name: data/data/s-0"},
	    {"[{name: s-0", "[{name: other/s-0"},
	    {"[{name: s-0", "[{name: data/"},
	    {"[{name: s-0,", "[{"},
	    {"snapshots: [s-0]", "snapshots: []"},
	    {"snapshots: [s-0]", "snapshots: [s-0, s-1]"},
	    {"snapshots: [s-0]", "snapshots: s-0"},
	    {"snapshots: [s-0]", "snapshots: [[s-0]]"},
	    {"snapshots: [s-0]\n", ""},
	    {"{volume:", "{container: {name: data}, volume:"},
	    {"{volume:", "{instance: null, volume:"},
	    {"{volume:", "{snapshots: [], volume:"},
	    {"{volume:", "{profiles: [], volume:"},
	    {"{volume:", "{bucket: {}, volume:"},
	    {"{volume:", "{bucket_keys: [], volume:"},
	    {"{volume:", "{dependent_volumes: [], volume:"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++)
		match(changes[i].from, changes[i].to, ERROR_UNSAFE);
	match("type: custom\n", "type: bucket\n", ERROR_DAMAGED);
	match("name: data\n", "", ERROR_DAMAGED);
	match("content_type: filesystem, project", "content_type: iso, project",
	    ERROR_DAMAGED);
}

/* Both of a volume and of its snapshot. */
static void
name(const char *text, enum error_code code)
{
	static const char form[] =
	    "name: \"%s\"\npool: p\nsnapshots: [\"%s\"]\n"
	    "type: custom\n"
	    "config:\n"
	    "  volume: {name: \"%s\", type: custom,\n"
	    "    content_type: block, config: {}}\n"
	    "  volume_snapshots:\n"
	    "  - {name: \"%s\", content_type: block,\n"
	    "    config: {}}\n";

	for (int of_snapshot = 0; of_snapshot < 2; of_snapshot++) {
		const char *volume = of_snapshot ? "data" : text;
		const char *snapshot = of_snapshot ? text : "s-0";
		char index_text[4096];
		struct backup_index index = {0};
		struct error err = {0};

		(void)snprintf(index_text, sizeof(index_text), form, volume,
		    snapshot, volume, snapshot);
		assert_int_equal(backup_index_parse(index_text,
				     strlen(index_text), &index, &err),
		    0);
		(void)backup_match_index(&index, &err);
		if (err.code != code)
			fail_msg("'%s': %d, %s", text, err.code, err.text);
		backup_index_clear(&index);
	}
}

#define LETTERS_51 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxy"
#define LETTERS_255 LETTERS_51 LETTERS_51 LETTERS_51 LETTERS_51 LETTERS_51

static void
names_are_names_of_files(void **state)
{
	static const char *const good[] = {"a", "-", "...", "..a", "a.img",
	    "a:b", "A_b.c+d$&'*", "\xc3\xa9", LETTERS_255};
	static const char *const bad[] = {".", "..", "a/b", "/", "/a", "a/",
	    "../a", "a b", " ", "a\\tb", "a\\nb", "\\rb", "a\\x0b", "\\x1b[2J",
	    "\\x7f", "a\\x01", LETTERS_255 "a"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		name(good[i], ERROR_NONE);
	for (size_t i = 0; i < COUNT(bad); i++)
		name(bad[i], ERROR_UNSAFE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_incus_writes_is_accepted),
	    cmocka_unit_test(every_truncation_is_damage),
	    cmocka_unit_test(all_that_the_index_promises_is_there),
	    cmocka_unit_test(nothing_else_is_there),
	    cmocka_unit_test(an_index_may_vary),
	    cmocka_unit_test(an_index_without_what_the_daemon_reads),
	    cmocka_unit_test(names_are_names_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
