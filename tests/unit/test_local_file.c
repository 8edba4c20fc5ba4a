/* A file on our own disk, on file systems that cannot set modes. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "store/local_file.h"
#include "store/small_file.h"
#include "support.h"

/* What fchmod(2) fails with, in place of the C library's; 0: it works. */
static int fchmod_errno;

int
fchmod(int fd, mode_t mode)
{
	if (fchmod_errno == 0)
		return (int)syscall(SYS_fchmod, fd, mode);
	errno = fchmod_errno;
	return -1;
}

struct place {
	char directory[32];
	char path[64];
};

static struct place
place_open(void)
{
	struct place place = {.directory = "/tmp/anklume-test-XXXXXX"};

	assert_non_null(mkdtemp(place.directory));
	(void)snprintf(
	    place.path, sizeof(place.path), "%s/file", place.directory);
	return place;
}

static void
place_close(const struct place *place)
{
	(void)unlink(place->path);
	assert_int_equal(rmdir(place->directory), 0);
}

static int
put(const struct place *place, struct error *err)
{
	struct local_put_request request = {
	    .path = place->path,
	    .mode = 0640,
	    .exact_uid = -1,
	    .exact_gid = -1,
	    .exact_mode = -1,
	};
	auto_stream struct stream *body = source_new("abc", 3, 0, SOURCE_ENDS);
	uint64_t size = 0;

	return local_file_put(&request, body, &size, err);
}

static int
publish(const struct place *place, struct error *err)
{
	return small_file_publish(
	    place->directory, "file", "abc", 0640, true, err);
}

/* Copies, records and manifests agree on what is no failure. */
static void
file_systems_without_modes(void **state)
{
	static const int harmless[] = {0, EPERM, ENOSYS, EOPNOTSUPP};

	(void)state;
	for (size_t i = 0; i < COUNT(harmless); i++) {
		struct place place = place_open();
		struct error err = {0};

		fchmod_errno = harmless[i];
		assert_int_equal(put(&place, &err), 0);
		assert_no_error(&err);
		assert_int_equal(publish(&place, &err), 0);
		assert_no_error(&err);
		place_close(&place);
	}
}

static void
modes_that_cannot_be_set(void **state)
{
	struct place place = place_open();
	struct error of_put = {0};
	struct error of_publish = {0};

	(void)state;
	fchmod_errno = EIO;
	assert_int_equal(put(&place, &of_put), -1);
	assert_error(&of_put, ERROR_FAILED);
	assert_int_equal(publish(&place, &of_publish), -1);
	assert_error(&of_publish, ERROR_FAILED);
	assert_int_equal(access(place.path, F_OK), -1);
	place_close(&place);
}

static void
a_new_file_gets_its_mode(void **state)
{
	struct place place = place_open();
	struct error err = {0};
	struct stat found;
	mode_t mask = umask(0007);

	(void)state;
	fchmod_errno = 0;
	assert_int_equal(put(&place, &err), 0);
	assert_int_equal(stat(place.path, &found), 0);
	assert_int_equal(found.st_mode & 07777U, 0640);
	(void)umask(mask);
	place_close(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(file_systems_without_modes),
	    cmocka_unit_test(modes_that_cannot_be_set),
	    cmocka_unit_test(a_new_file_gets_its_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
