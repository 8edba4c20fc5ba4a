#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "store/catalogue.h"
#include "support.h"
#include "transfer/backup_word.h"

static void
words_are_taken_apart(void **state)
{
	static const struct {
		const char *text;
		const char *project;
		const char *subject;
		long begin;
		long end;
	} cases[] = {
	    {"web", NULL, "web", 0, 0},
	    {"work/web", "work", "web", 0, 0},
	    {"web@2026-11-22T03:04:05Z", NULL, "web", 1795316645, 1795316646},
	    {"web@2026-11-22T03:04Z", NULL, "web", 1795316640, 1795316700},
	    {"a@b/web", "a@b", "web", 0, 0},
	    {"a@b/web@2026-11-22Z", "a@b", "web", 1795305600, 1795392000},
	    {"work/web@2026-11-22Z", "work", "web", 1795305600, 1795392000},
	    {"local:work/web", "work", "web", 0, 0},
	    {"work/default/data", "work", "default/data", 0, 0},
	    {"local:work/default/data", "work", "default/data", 0, 0},
	    {"work/p/v@2026-11-22Z", "work", "p/v", 1795305600, 1795392000},
	    {"a@b/p@q/r@s", "a@b", "p@q/r@s", 0, 0},
	    {"a@b/p@q/r@s@2026-11-22Z", "a@b", "p@q/r@s", 1795305600,
		1795392000},
	    {"work/p/@2026-11-22Z", "work", "p/@2026-11-22Z", 0, 0},
	    {"work/p+q/v w:x", "work", "p+q/v w:x", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		auto_backup_word struct backup_word word = {0};
		struct error err = {0};

		assert_int_equal(
		    backup_word_parse(cases[i].text, &word, &err), 0);
		assert_string_equal(word.subject, cases[i].subject);
		if (cases[i].project == NULL)
			assert_null(word.project);
		else
			assert_string_equal(word.project, cases[i].project);
		assert_int_equal(word.begin, cases[i].begin);
		assert_int_equal(word.end, cases[i].end);
	}
}

static void
what_is_no_word_is_refused(void **state)
{
	static const char *const cases[] = {"", "@", "@today", "web@",
	    "web@noon", "web@2026-02-30", "web@2026-11-22T25:00", "web@@today",
	    "a/b/c/d", "/web", "web/", "web@2026-11-22 ", "/p/v", "a//v",
	    "a/p/", "a/../v", "a/p/..", "./p/v", "../p/v", "a/p/v/"};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct backup_word word = {0};
		struct error err = {0};

		assert_int_equal(backup_word_parse(cases[i], &word, &err), -1);
		assert_int_equal(err.code, ERROR_USAGE);
		error_clear(&err);
	}
}

/* Of an archive that was made at 2026-11-22T03:04:05Z; `key` says of what. */
static bool
means(const char *text, const char *key, const char *name)
{
	auto_backup_word struct backup_word word = {0};
	struct catalogue_entry entry = {
	    .manifest = json_pack("{s:s,s:s,s:s}", key, name, "project", "work",
		"created_at", "2026-11-22T03:04:05Z")};
	struct error err = {0};
	bool meant;

	assert_int_equal(backup_word_parse(text, &word, &err), 0);
	meant = backup_word_means(&word, &entry);
	json_decref(entry.manifest);
	return meant;
}

static bool
is_meant(const char *text)
{
	return means(text, "instance", "web");
}

static void
a_word_means_its_own_volume_and_time(void **state)
{
	static const char *const others[] = {"data", "default/data", "default",
	    "work/data", "home/default/data", "work/default/dat",
	    "work/default/datas", "work/bt/data",
	    "work/default/data@2026-11-21Z"};

	(void)state;
	assert_true(means("work/default/data", "volume", "default/data"));
	assert_true(
	    means("work/default/data@2026-11-22Z", "volume", "default/data"));
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(means(others[i], "volume", "default/data"));
	/* Whoever writes a manifest cannot make one pass for the other. */
	assert_false(means("work/default/data", "instance", "default/data"));
	assert_false(means("web", "volume", "web"));
	assert_false(means("work/web", "volume", "web"));
}

static void
a_word_means_its_own_instance_and_time(void **state)
{
	(void)state;
	assert_true(is_meant("web"));
	assert_true(is_meant("work/web"));
	assert_true(is_meant("web@2026-11-22T03:04:05Z"));
	assert_true(is_meant("web@2026-11-22T03:04Z"));
	assert_true(is_meant("work/web@2026-11-22Z"));
	assert_false(is_meant("we"));
	assert_false(is_meant("webs"));
	assert_false(is_meant("home/web"));
	assert_false(is_meant("web@2026-11-22T03:04:04Z"));
	assert_false(is_meant("web@2026-11-22T03:04:06Z"));
	assert_false(is_meant("web@2026-11-22T03:05Z"));
	assert_false(is_meant("web@2026-11-21Z"));
	assert_false(is_meant("web@2026-11-23Z"));
}

static void
an_archive_without_a_manifest_is_nobodys(void **state)
{
	auto_backup_word struct backup_word word = {0};
	struct catalogue_entry entry = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(backup_word_parse("web", &word, &err), 0);
	assert_false(backup_word_means(&word, &entry));
	entry.manifest = json_pack("{s:i}", "instance", 1);
	assert_false(backup_word_means(&word, &entry));
	json_decref(entry.manifest);
}

/* A day is as long as the clock on the wall says. */
static void
days_end_at_midnight(void **state)
{
	auto_backup_word struct backup_word word = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(setenv("TZ", "Europe/Paris", 1), 0);
	tzset();
	assert_int_equal(backup_word_parse("web@2026-03-29", &word, &err), 0);
	assert_int_equal(word.end - word.begin, 23 * 60 * 60);
	backup_word_clear(&word);
	assert_int_equal(backup_word_parse("web@2026-10-25", &word, &err), 0);
	assert_int_equal(word.end - word.begin, 25 * 60 * 60);
	backup_word_clear(&word);
	assert_int_equal(backup_word_parse("web@yesterday", &word, &err), 0);
	assert_true(word.end > word.begin && word.end <= time(NULL));
}

static void
names_tell_archives(void **state)
{
	static const char *const archives[] = {"web-20261122-030405.tar.gz.gpg",
	    "a.tar", "a.tar.zst", "a.tar.gz", "a.tar.xz"};
	static const char *const others[] = {"", "a", "tar", ".tar", "a.gpg",
	    "a.gz", "a.tar.gz.json", "a.tar.gz.gpg.sig", "a.tar.gz.part"};

	(void)state;
	for (size_t i = 0; i < COUNT(archives); i++)
		assert_true(catalogue_is_archive_name(archives[i]));
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(catalogue_is_archive_name(others[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_are_taken_apart),
	    cmocka_unit_test(what_is_no_word_is_refused),
	    cmocka_unit_test(a_word_means_its_own_instance_and_time),
	    cmocka_unit_test(a_word_means_its_own_volume_and_time),
	    cmocka_unit_test(an_archive_without_a_manifest_is_nobodys),
	    cmocka_unit_test(days_end_at_midnight),
	    cmocka_unit_test(names_tell_archives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
