/* Words that name instances and places in them, and what is said to those that
 * do not. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/text.h"
#include "support.h"
#include "transfer/location.h"

static void
places_in_instances(void **state)
{
	static const struct {
		const char *text;
		const char *project;
		const char *name;
		const char *path;
	} good[] = {
	    {"web:/etc/hosts", NULL, "web", "/etc/hosts"},
	    {"work/web:/", "work", "web", "/"},
	    {"local:web:/a", NULL, "web", "/a"},
	    {"local:work/web:/a:/b", "work", "web", "/a:/b"},
	    {"a.b_c@d+e~f-1/web:/a", "a.b_c@d+e~f-1", "web", "/a"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct location location = {0};
		struct error err = {0};

		assert_int_equal(
		    location_parse(good[i].text, &location, &err), 0);
		assert_int_equal(location.kind, LOCATION_INSTANCE);
		if (good[i].project == NULL)
			assert_null(location.instance.project);
		else
			assert_string_equal(
			    location.instance.project, good[i].project);
		assert_string_equal(location.instance.name, good[i].name);
		assert_string_equal(location.path, good[i].path);
		location_clear(&location);
	}
}

static void
local_paths_and_pipes(void **state)
{
	static const char *const local[] = {
	    "a", "/a:b", "./web:/a", "a/b:c", "-a", "../web:a", "a b/x:/y"};
	struct location location = {0};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(local); i++) {
		assert_int_equal(location_parse(local[i], &location, &err), 0);
		assert_int_equal(location.kind, LOCATION_LOCAL);
		assert_string_equal(location.path, local[i]);
		location_clear(&location);
	}
	assert_int_equal(location_parse("-", &location, &err), 0);
	assert_int_equal(location.kind, LOCATION_STDIO);
	location_clear(&location);
}

static void
check_refused(const char *text, const char *hint)
{
	struct location location = {0};
	struct error err = {0};

	assert_int_equal(location_parse(text, &location, &err), -1);
	assert_error(&err, ERROR_USAGE);
	assert_string_equal(err.hint, hint);
}

/* What is to be pasted does nothing but what it says. */
static void
relative_paths_in_instances(void **state)
{
	(void)state;
	check_refused("web:notes.txt", "a file in an instance: "
				       "web:/PATH/notes.txt\n"
				       "a local file: ./web:notes.txt");
	check_refused("web:a b", "a file in an instance: 'web:/PATH/a b'\n"
				 "a local file: './web:a b'");
	check_refused("web:$(id)a'b", "a file in an instance: "
				      "'web:/PATH/$(id)a'\\''b'\n"
				      "a local file: './web:$(id)a'\\''b'");
	check_refused("", "");
}

/* An absolute path would be refused as well: no instance is called so. */
static void
words_that_no_instance_has(void **state)
{
	static const char path[] = "we_b:/etc/hosts";
	struct location location = {0};
	struct error err = {0};

	(void)state;
	check_refused(path, "a local file: ./we_b:/etc/hosts");
	check_refused("$(id):a'b", "a local file: './$(id):a'\\''b'");
	assert_int_equal(location_parse(path, &location, &err), -1);
	assert_string_equal(err.text, "'we_b' is not the name of an instance");
}

static void
check_word(const char *text, const char *hint)
{
	struct instance_word word = {0};
	struct error err = {0};

	assert_int_equal(instance_word_parse(text, &word, &err), -1);
	assert_error(&err, ERROR_USAGE);
	assert_string_equal(err.hint, hint);
}

static void
words_that_should_be_options(void **state)
{
	(void)state;
	check_word("GPG=me", "--gpg me");
	check_word("GPG=me; id", "--gpg 'me; id'");
	check_word("O=", "--output ''");
	check_word("O=a b", "--output 'a b'");
	check_word("NAME=x", "--name x");
	check_word("PROJECT=x$y", "--project 'x$y'");
	check_word("me@example.org", "a key is named by --gpg me@example.org");
	check_word("Me <me@example.org>",
	    "a key is named by --gpg 'Me <me@example.org>'");
	check_word("we_b", "it is spelled [PROJECT/]INSTANCE");
}

/* In a directory of its own; whatever the file is called. */
static void
files_that_should_be_options(void **state)
{
	static const struct {
		const char *name;
		const char *hint;
	} files[] = {
	    {"w_1", "anklume backup restore --file w_1"},
	    {"a b.tar;id", "anklume backup restore --file 'a b.tar;id'"},
	    {"O=x.tar", "anklume backup restore --file O=x.tar"},
	};
	char directory[] = "/tmp/anklume-test-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chdir(directory), 0);
	for (size_t i = 0; i < COUNT(files); i++) {
		auto_close int fd =
		    open(files[i].name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

		assert_true(fd >= 0);
		check_word(files[i].name, files[i].hint);
		assert_int_equal(unlink(files[i].name), 0);
	}
	/* A directory is no archive. */
	check_word("..", "it is spelled [PROJECT/]INSTANCE");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(directory), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(places_in_instances),
	    cmocka_unit_test(local_paths_and_pipes),
	    cmocka_unit_test(relative_paths_in_instances),
	    cmocka_unit_test(words_that_no_instance_has),
	    cmocka_unit_test(words_that_should_be_options),
	    cmocka_unit_test(files_that_should_be_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
