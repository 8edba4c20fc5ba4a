/* Whether a disk is encrypted, by a sysfs of the test's own. */

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/disk_encryption.h"
#include "support.h"

static char home[] = "/tmp/anklume-test-XXXXXX";

/* One device of dev/block, by a name in the place of its number. */
struct device {
	const char *name;
	const char *uuid;      /* of the device mapper; NULL */
	const char *slaves[3]; /* names of others; NULL ends them */
	bool loop;
};

static const struct device devices[] = {
    {.name = "crypt", .uuid = "CRYPT-LUKS2-0123-root\n", .slaves = {"disk"}},
    {.name = "disk"},
    {.name = "lvm on crypt", .uuid = "LVM-xyz\n", .slaves = {"crypt"}},
    {.name = "lvm on disk", .uuid = "LVM-xyz\n", .slaves = {"disk"}},
    {.name = "raid", .slaves = {"lvm on crypt", "crypt"}},
    {.name = "mixed", .slaves = {"crypt", "disk"}},
    {.name = "mixed too", .slaves = {"disk", "crypt"}},
    {.name = "loop", .loop = true},
    {.name = "on loop", .slaves = {"loop", "crypt"}},
    {.name = "loop and disk", .slaves = {"loop", "disk"}},
    {.name = "gone", .slaves = {"no such"}},
    {.name = "short", .uuid = "CRYPT"},
    {.name = "other", .uuid = "mpath-CRYPT-"},
    {.name = "ring", .slaves = {"ring"}},
};

static void
make_directory(const char *format, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), format, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void
make_uuid(const struct device *device)
{
	char path[256];
	int fd;
	ssize_t length = (ssize_t)strlen(device->uuid);

	make_directory("dev/block/%s/dm", device->name);
	(void)snprintf(
	    path, sizeof(path), "dev/block/%s/dm/uuid", device->name);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, device->uuid, (size_t)length), length);
	assert_int_equal(close(fd), 0);
}

static void
make_device(const struct device *device)
{
	make_directory("dev/block/%s", device->name);
	if (device->loop)
		make_directory("dev/block/%s/loop", device->name);
	if (device->uuid != NULL)
		make_uuid(device);
	if (device->slaves[0] == NULL)
		return;
	make_directory("dev/block/%s/slaves", device->name);
	for (size_t i = 0; device->slaves[i] != NULL; i++) {
		char link[256];
		char target[256];

		(void)snprintf(link, sizeof(link), "dev/block/%s/slaves/%zu",
		    device->name, i);
		(void)snprintf(
		    target, sizeof(target), "../../%s", device->slaves[i]);
		assert_int_equal(symlink(target, link), 0);
	}
}

static void
verdicts(void **state)
{
	static const struct {
		const char *device;
		enum disk_encryption expected;
	} cases[] = {
	    {"crypt", DISK_ENCRYPTED},
	    {"disk", DISK_PLAIN},
	    {"lvm on crypt", DISK_ENCRYPTED},
	    {"lvm on disk", DISK_PLAIN},
	    {"raid", DISK_ENCRYPTED},
	    {"mixed", DISK_PLAIN},
	    {"mixed too", DISK_PLAIN},
	    {"loop", DISK_UNKNOWN},
	    {"on loop", DISK_UNKNOWN},
	    {"loop and disk", DISK_PLAIN},
	    {"gone", DISK_UNKNOWN},
	    {"short", DISK_PLAIN},
	    {"other", DISK_PLAIN},
	    {"ring", DISK_UNKNOWN},
	    {"no such device", DISK_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (disk_encryption_of_device(home, cases[i].device) !=
		    cases[i].expected)
			fail_msg("%s", cases[i].device);
	}
}

static void
no_device(void **state)
{
	(void)state;
	assert_int_equal(disk_encryption_of("/proc"), DISK_UNKNOWN);
	assert_int_equal(disk_encryption_of("/no/such"), DISK_UNKNOWN);
}

static int
set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(home));
	assert_int_equal(chdir(home), 0);
	assert_int_equal(mkdir("dev", 0700), 0);
	assert_int_equal(mkdir("dev/block", 0700), 0);
	for (size_t i = 0; i < COUNT(devices); i++)
		make_device(&devices[i]);
	return 0;
}

static int
take_away(const char *path, const struct stat *found, int kind, struct FTW *ftw)
{
	(void)found;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int
tear_down(void **state)
{
	(void)state;
	assert_int_equal(chdir("/"), 0);
	return nftw(home, take_away, 8, FTW_DEPTH | FTW_PHYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verdicts),
	    cmocka_unit_test(no_device),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
