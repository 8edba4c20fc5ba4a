#include "stream/examine.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stream/examine_child.h"
#include "tars.h"

static struct stream *
examine(const struct bytes *tar, size_t size, enum source_end source_end,
    struct examination *ret, struct error *err)
{
	return examine_new(
	    source_new(tar->data, size, 0, source_end), ret, err);
}

static size_t
open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	(void)closedir(directory);
	return count;
}

/* Neither a child, dead or alive, nor a descriptor. */
static void
assert_nothing_stays(size_t descriptors)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(open_descriptors(), descriptors);
}

static void
bytes_pass_unchanged(void **state)
{
	static const size_t readers[] = {1, 512, 100000};
	auto_bytes struct bytes noise = bytes_random(3000000, 4);
	const struct tar_entry entries[] = {TAR_BEGINNING,
	    {"backup/container/rootfs/large", '0', noise.data, noise.size, NULL,
		true},
	    {0}};
	auto_bytes struct bytes small = tar_of_container();
	auto_bytes struct bytes large = tar_make(entries);
	size_t descriptors = open_descriptors();

	(void)state;
	for (size_t i = 0; i < COUNT(readers); i++) {
		const struct bytes *tar = i > 0 ? &large : &small;
		auto_bytes struct bytes got = {0};
		struct examination found;
		struct error err = {0};

		assert_int_equal(
		    drain(examine(tar, tar->size, SOURCE_ENDS, &found, &err),
			readers[i], &got, &err),
		    0);
		assert_no_error(&err);
		assert_same_bytes(&got, tar);
		assert_true(found.complete);
		assert_int_equal(found.tar_size_bytes, tar->size);
		assert_int_equal(found.entries, i > 0
						    ? TAR_BEGINNING_ENTRIES + 1
						    : TAR_OF_CONTAINER_ENTRIES);
		assert_string_equal(json_text(found.index, "name"), "web");
		examination_clear(&found);
		assert_null(found.index);
		assert_nothing_stays(descriptors);
	}
}

static void
the_index_is_there_before_the_first_read(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();
	size_t descriptors = open_descriptors();
	struct examination found;
	struct error err = {0};
	struct stream *s = examine(&tar, tar.size, SOURCE_ENDS, &found, &err);

	(void)state;
	assert_no_error(&err);
	assert_string_equal(json_text(found.index, "type"), "container");
	assert_false(found.complete);
	/* Nobody reads it to its end. */
	stream_free(s);
	examination_clear(&found);
	assert_nothing_stays(descriptors);
}

static void
the_index_can_be_taken_away(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();
	auto_bytes struct bytes got = {0};
	struct examination found;
	struct error err = {0};
	struct stream *s = examine(&tar, tar.size, SOURCE_ENDS, &found, &err);

	(void)state;
	assert_no_error(&err);
	json_decref(found.index);
	found.index = NULL;
	assert_int_equal(drain(s, 4096, &got, &err), 0);
	assert_true(found.complete);
}

static void
a_refusal_comes_through(void **state)
{
	auto_bytes struct bytes tar = {0};
	size_t descriptors = open_descriptors();
	struct examination found;
	struct error err = {0};
	auto_bytes struct bytes got = {0};

	(void)state;
	tar_add_beginning(&tar);
	tar_add_header(&tar, "backup/container/\x1b[2J", 0, '0');
	tar_add_zeros(&tar, 8 << 20);
	assert_int_equal(
	    drain(examine(&tar, tar.size, SOURCE_ENDS, &found, &err), 100000,
		&got, &err),
	    -1);
	assert_error(&err, ERROR_UNSAFE);
	assert_non_null(strstr(err.text, "'backup/container/\\x1b[2J'"));
	assert_false(found.complete);
	examination_clear(&found);
	assert_nothing_stays(descriptors);
}

static void
cuts_and_failures_come_through(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();
	size_t descriptors = open_descriptors();

	(void)state;
	for (size_t size = 0; size < tar.size; size += 700) {
		for (int fails = 0; fails < 2; fails++) {
			auto_bytes struct bytes got = {0};
			struct examination found;
			struct error err = {0};

			assert_int_equal(
			    drain(examine(&tar, size,
				      fails ? SOURCE_FAILS : SOURCE_ENDS,
				      &found, &err),
				5000, &got, &err),
			    -1);
			assert_error(
			    &err, fails ? ERROR_UNREACHABLE : ERROR_DAMAGED);
			assert_false(found.complete);
			examination_clear(&found);
			assert_nothing_stays(descriptors);
		}
	}
}

/* The process that has the pipes of `s`: our only child. */
static pid_t
only_child(void)
{
	char path[64];
	FILE *file;
	int pid = 0;

	(void)snprintf(
	    path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	(void)fclose(file);
	return (pid_t)pid;
}

static void
a_child_that_dies_is_no_end(void **state)
{
	static const size_t reads[] = {0, 1, 100};
	auto_bytes struct bytes noise = bytes_random(50000000, 4);
	const struct tar_entry entries[] = {TAR_BEGINNING,
	    {"backup/container/rootfs/large", '0', noise.data, noise.size, NULL,
		false},
	    {0}};
	auto_bytes struct bytes tar = tar_make(entries);
	size_t descriptors = open_descriptors();

	(void)state;
	for (size_t i = 0; i < COUNT(reads); i++) {
		static char buf[100000];
		auto_bytes struct bytes got = {0};
		struct examination found;
		struct error err = {0};
		struct stream *s =
		    examine(&tar, tar.size, SOURCE_ENDS, &found, &err);

		assert_no_error(&err);
		for (size_t n = 0; n < reads[i]; n++)
			assert_true(stream_read(s, buf, sizeof(buf), &err) > 0);
		assert_int_equal(kill(only_child(), SIGKILL), 0);
		assert_int_equal(drain(s, 100000, &got, &err), -1);
		assert_error(&err, ERROR_FAILED);
		assert_string_equal(
		    err.text, "the process that examines the backup died");
		assert_false(found.complete);
		examination_clear(&found);
		assert_nothing_stays(descriptors);
	}
}

static void
a_child_that_stops_can_be_left(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();
	size_t descriptors = open_descriptors();
	struct examination found;
	struct error err = {0};
	struct stream *s = examine(&tar, tar.size, SOURCE_ENDS, &found, &err);

	(void)state;
	assert_int_equal(kill(only_child(), SIGSTOP), 0);
	stream_free(s);
	examination_clear(&found);
	assert_nothing_stays(descriptors);
}

static void
nothing_passes_through(void **state)
{
	struct error err = {0};
	struct examination found = {0};

	(void)state;
	assert_null(examine_new(NULL, &found, &err));
	examination_clear(&found);
}

/* As the program does (base/interrupt.c). */
static int
ignore_broken_pipes(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_pass_unchanged),
	    cmocka_unit_test(the_index_is_there_before_the_first_read),
	    cmocka_unit_test(the_index_can_be_taken_away),
	    cmocka_unit_test(a_refusal_comes_through),
	    cmocka_unit_test(cuts_and_failures_come_through),
	    cmocka_unit_test(a_child_that_dies_is_no_end),
	    cmocka_unit_test(a_child_that_stops_can_be_left),
	    cmocka_unit_test(nothing_passes_through),
	};

	return cmocka_run_group_tests(tests, ignore_broken_pipes, NULL);
}
