/* Where a path leads, before what it names is there. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "store/local_path.h"
#include "support.h"

static char home[] = "/tmp/anklume-test-XXXXXX";

static void
check_path(const char *path, const char *expected)
{
	struct error err = {0};
	auto_free char *found = local_path_resolve(path, &err);

	assert_no_error(&err);
	assert_non_null(found);
	if (*expected == '/') {
		assert_string_equal(found, expected);
		return;
	}
	assert_memory_equal(found, home, strlen(home));
	assert_string_equal(
	    found + strlen(home), *expected != '\0' ? expected + 1 : "");
}

/* "~" is the test's own directory, where it stands. */
static void
paths(void **state)
{
	static const struct {
		const char *path;
		const char *expected;
	} cases[] = {
	    {"/", "/"},
	    {"//..//.", "/"},
	    {"/no/such//x/", "/no/such/x"},
	    {"/no/../such", "/such"},
	    {".", "~"},
	    {"", "~"},
	    {"d", "~/d"},
	    {"./d/../f", "~/f"},
	    {"new", "~/new"},
	    {"new/a/../b", "~/new/b"},
	    {"new/../link/a", "~/d/a"},
	    {"link", "~/d"},
	    {"link/../f", "~/f"},
	    {"chain/x/y", "~/d/x/y"},
	    {"root/no/such", "/no/such"},
	    {"up/d", "~/d"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_path(cases[i].path, cases[i].expected);
}

static void
check_refused(const char *path, enum error_code code)
{
	struct error err = {0};

	assert_null(local_path_resolve(path, &err));
	assert_error(&err, code);
}

static void
links_that_lead_nowhere(void **state)
{
	(void)state;
	check_refused("dangling", ERROR_NOT_FOUND);
	check_refused("dangling/x", ERROR_NOT_FOUND);
	check_refused("loop", ERROR_FAILED);
	check_refused("f/x", ERROR_FAILED);
}

static int
set_up(void **state)
{
	int fd;

	(void)state;
	assert_non_null(mkdtemp(home));
	assert_int_equal(chdir(home), 0);
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(symlink("d", "link"), 0);
	assert_int_equal(symlink("./link/../link", "chain"), 0);
	assert_int_equal(symlink("/", "root"), 0);
	assert_int_equal(symlink("d/..", "up"), 0);
	assert_int_equal(symlink("nosuch", "dangling"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	fd = open("f", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const made[] = {
	    "link", "chain", "root", "up", "dangling", "loop", "f"};

	(void)state;
	for (size_t i = 0; i < COUNT(made); i++)
		assert_int_equal(unlink(made[i]), 0);
	assert_int_equal(rmdir("d"), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(home), 0);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths),
	    cmocka_unit_test(links_that_lead_nowhere),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
