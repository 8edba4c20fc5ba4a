/* Names that may go into a path of the daemon's API, and those of snapshots. */

#include <string.h>

#include "base/auto.h"
#include "incus/client.h"
#include "incus/snapshot.h"
#include "support.h"

static void
a_path_of_segments(void **state)
{
	struct error err = {0};
	auto_free char *plain =
	    incus_path(&err, NULL, "instances", "web", NULL);
	auto_free char *odd = incus_path(
	    &err, "a b", "instances", "a/b?c=d#e%2f", "...", "..x", NULL);

	(void)state;
	assert_no_error(&err);
	assert_string_equal(plain, "/1.0/instances/web");
	assert_string_equal(odd, "/1.0/instances/a%2Fb%3Fc%3Dd%23e%252f/.../"
				 "..x?project=a%20b");
}

static void
segments_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const astray[] = {"", ".", ".."};

	(void)state;
	for (size_t i = 0; i < COUNT(astray); i++) {
		struct error first = {0};
		struct error last = {0};

		assert_null(
		    incus_path(&first, NULL, astray[i], "snapshots", NULL));
		assert_error(&first, ERROR_USAGE);
		assert_null(incus_path(&last, "default", "instances", "web",
		    "snapshots", astray[i], NULL));
		assert_error(&last, ERROR_USAGE);
	}
}

static void
names_for_new_snapshots(void **state)
{
	static const char *const good[] = {"a", "7", "snap0", "A.b_c-D9",
	    "a..b", "snap-20261124-153000",
	    "1234567890123456789012345678901234567890123456789012345678901234"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct error err = {0};

		assert_int_equal(
		    incus_snapshot_check_new_name(good[i], &err), 0);
		assert_no_error(&err);
	}
}

static void
names_that_no_new_snapshot_gets(void **state)
{
	static const char *const bad[] = {"", ".", "..", "../x", "a/b", "/",
	    "a ", "a b", ".a", "a.", "-a", "a-", "_a", "a_", "a%2fb", "a?b",
	    "a#b", "a+b", "a:b", "a@b", "a*", "a\nb", "a\x1b[0m",
	    "\xc3\xa9t\xc3\xa9", "a\xff",
	    ("1234567890123456789012345678901234567890123456789012345678901234"
	     "5")};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct error err = {0};

		assert_int_equal(
		    incus_snapshot_check_new_name(bad[i], &err), -1);
		assert_error(&err, ERROR_USAGE);
	}
}

/* What others have made must go on being reachable. */
static void
names_of_snapshots_that_exist(void **state)
{
	static const char *const good[] = {
	    "a", "a b", "a+b", ".a", "...", "-", "\xc3\xa9t\xc3\xa9", "10:30"};
	static const char *const bad[] = {
	    "", ".", "..", "/", "a/b", "../b", "\xff"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct error err = {0};

		assert_int_equal(incus_snapshot_check_name(good[i], &err), 0);
		assert_no_error(&err);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct error err = {0};

		assert_int_equal(incus_snapshot_check_name(bad[i], &err), -1);
		assert_error(&err, ERROR_USAGE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_path_of_segments),
	    cmocka_unit_test(segments_that_lead_elsewhere_are_refused),
	    cmocka_unit_test(names_for_new_snapshots),
	    cmocka_unit_test(names_that_no_new_snapshot_gets),
	    cmocka_unit_test(names_of_snapshots_that_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
