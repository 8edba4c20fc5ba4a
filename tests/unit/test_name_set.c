#include "base/name_set.h"

#include <stdio.h>

#include "support.h"

static void
a_name_is_new_once(void **state)
{
	struct name_set set = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(name_set_add(&set, "a", &err), 1);
	assert_int_equal(name_set_add(&set, "b", &err), 1);
	assert_int_equal(name_set_add(&set, "a", &err), 0);
	assert_int_equal(name_set_add(&set, "A", &err), 1);
	assert_int_equal(name_set_add(&set, "", &err), 1);
	assert_int_equal(name_set_add(&set, "", &err), 0);
	name_set_clear(&set);
	assert_int_equal(name_set_add(&set, "a", &err), 1);
	name_set_clear(&set);
}

static void
a_hundred_thousand_names_are_told_apart(void **state)
{
	struct name_set set = {0};
	struct error err = {0};
	char name[32];

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 100000; i++) {
			(void)snprintf(name, sizeof(name), "file-%d", i);
			assert_int_equal(
			    name_set_add(&set, name, &err), round == 0);
		}
	}
	assert_int_equal(set.count, 100000);
	assert_in_range(set.room, 200000, 400000);
	name_set_clear(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_name_is_new_once),
	    cmocka_unit_test(a_hundred_thousand_names_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
