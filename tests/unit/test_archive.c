#include <string.h>
#include <time.h>

#include "store/archive.h"
#include "support.h"

static void
names_of_volumes_are_file_names(void **state)
{
	static const struct {
		const char *pool;
		const char *volume;
		const char *stem;
	} cases[] = {
	    {"default", "data", "default+data"},
	    {"my-pool_1.x", "a.b_c-d", "my-pool_1.x+a.b_c-d"},
	    {"p", ".hidden", "p+.hidden"},
	    {".", "..", "%2E+.."},
	    {"..", "v", "%2E.+v"},
	    {"a+b", "c", "a%2Bb+c"},
	    {"a", "b+c", "a+b%2Bc"},
	    {"%41", "%", "%2541+%25"},
	    {"a/b", "../c", "a%2Fb+..%2Fc"},
	    {"a b", "~$(x)\n", "a%20b+%7E%24%28x%29%0A"},
	    {"\xc3\xa9t\xc3\xa9", "\x7f\x01\xff", "%C3%A9t%C3%A9+%7F%01%FF"},
	    {"", "", "+"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct error err = {0};
		char *stem =
		    archive_volume_stem(cases[i].pool, cases[i].volume, &err);

		assert_no_error(&err);
		assert_string_equal(stem, cases[i].stem);
		free(stem);
	}
}

static void
an_archive_is_named_by_its_stem(void **state)
{
	struct error err = {0};
	char *name;

	(void)state;
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	name = archive_name(
	    "default+data", 1795316645, COMPRESSION_GZIP, true, &err);
	assert_string_equal(name, "default+data-20261122-030405.tar.gz.gpg");
	free(name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_of_volumes_are_file_names),
	    cmocka_unit_test(an_archive_is_named_by_its_stem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
