#include "stream/backup_layout.h"

#include <string.h>

#include "base/json.h"
#include "stream/backup_index.h"
#include "stream/tar_walk.h"
#include "support.h"

#define VOLUME "backup/volume"
#define SNAPSHOT VOLUME "-snapshots/s0"

struct layout_case {
	const char *name;
	char type;
	const char *link;
	enum backup_place place;
};

static void
check_index(const struct backup_index *index, const struct layout_case *cases,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct tar_member member = {
		    .type = (enum tar_type)cases[i].type};
		size_t root_length;

		strcpy(member.name, cases[i].name);
		strcpy(member.link, cases[i].link);
		if (backup_layout_place(index, &member, &root_length) !=
		    cases[i].place)
			fail_msg("'%s' of type %c is not at place %d",
			    cases[i].name, cases[i].type, (int)cases[i].place);
	}
}

/* An instance of this type with a snapshot, and two devices, of which one keeps
 * its volume in the backup. */
static void
check(const char *type, bool optimized, const struct layout_case *cases,
    size_t count)
{
	static const char devices[] =
	    "{\"expanded_devices\": {\"data\": {\"pool\": \"p\"},"
	    " \"eth0\": {\"type\": \"nic\"}}}";
	struct error err = {0};
	auto_json json_t *instance =
	    json_parse(devices, strlen(devices), "devices", &err);
	auto_json json_t *snapshots =
	    json_parse("[\"s0\"]", 6, "snapshots", &err);
	const struct backup_index index = {.type = type,
	    .optimized = optimized,
	    .snapshots = snapshots,
	    .instance = instance};

	assert_non_null(instance);
	assert_non_null(snapshots);
	check_index(&index, cases, count);
}

/* A volume of this content with a snapshot, and what must stand there for both.
 */
static void
check_volume(const char *content_type, bool optimized, const char *suffix,
    const struct layout_case *cases, size_t count)
{
	struct error err = {0};
	auto_json json_t *snapshots =
	    json_parse("[\"s0\"]", 6, "snapshots", &err);
	const struct backup_index index = {.type = "custom",
	    .content_type = content_type,
	    .optimized = optimized,
	    .snapshots = snapshots};
	char root[TAR_NAME_BYTES];

	assert_non_null(snapshots);
	check_index(&index, cases, count);
	backup_layout_root(&index, NULL, root);
	assert_memory_equal(root, VOLUME, strlen(VOLUME));
	assert_string_equal(root + strlen(VOLUME), suffix);
	backup_layout_root(&index, "s0", root);
	assert_memory_equal(root, SNAPSHOT, strlen(SNAPSHOT));
	assert_string_equal(root + strlen(SNAPSHOT), suffix);
}

#define CHECK(type, optimized, cases)                                          \
	check(type, optimized, cases, sizeof(cases) / sizeof((cases)[0]))

#define CHECK_VOLUME(content_type, optimized, suffix, cases)                   \
	check_volume(content_type, optimized, suffix, cases,                   \
	    sizeof(cases) / sizeof((cases)[0]))

#define MACHINE "backup/virtual-machine"

static void
a_machine_has_files_and_one_link(void **state)
{
	static const struct layout_case cases[] = {
	    {MACHINE, '5', "", PLACE_ROOT},
	    {MACHINE ".img", '0', "", PLACE_PIECE},
	    {MACHINE ".img", '2', "x", PLACE_NONE},
	    {MACHINE "/config", '5', "", PLACE_BELOW},
	    {MACHINE "/backup.yaml", '0', "", PLACE_CONFIG},
	    {MACHINE "/qemu.nvram", '2', "OVMF_VARS.ms.fd", PLACE_BELOW},
	    {MACHINE "/qemu.nvram", '2', "/etc/shadow", PLACE_NONE},
	    {MACHINE "/qemu.nvram", '2', "a/b", PLACE_NONE},
	    {MACHINE "/qemu.nvram", '2', "..", PLACE_NONE},
	    {MACHINE "/qemu.log", '2', "OVMF_VARS.ms.fd", PLACE_NONE},
	    {MACHINE "/backup.yaml", '2', "x", PLACE_NONE},
	    {MACHINE "/fifo", '6', "", PLACE_NONE},
	    {"backup/virtual-machine-snapshots/s0.img", '0', "", PLACE_PIECE},
	    {"backup/virtual-machine-snapshots/s1.img", '0', "", PLACE_NONE},
	    {"backup/container", '5', "", PLACE_NONE},
	};

	(void)state;
	CHECK("virtual-machine", false, cases);
}

static void
a_device_has_a_volume_where_it_has_a_pool(void **state)
{
	static const struct layout_case cases[] = {
	    {"backup/data/volume", '5', "", PLACE_ROOT},
	    {"backup/data/volume", '2', "/", PLACE_NONE},
	    {"backup/data/volume/x", '0', "", PLACE_BELOW},
	    {"backup/data/volume.img", '0', "", PLACE_PIECE},
	    {"backup/data/volume-snapshots/a", '5', "", PLACE_ROOT},
	    {"backup/data/other", '5', "", PLACE_NONE},
	    {"backup/eth0/volume", '5', "", PLACE_NONE},
	    {"backup/none/volume", '5', "", PLACE_NONE},
	    {"backup/container/metadata.yaml", '0', "", PLACE_BELOW},
	    {"backup/container/metadata.yaml/x", '0', "", PLACE_NONE},
	};

	(void)state;
	CHECK("container", false, cases);
}

static void
streams_are_files_of_known_names(void **state)
{
	static const struct layout_case cases[] = {
	    {"backup/optimized_header.yaml", '0', "", PLACE_PIECE},
	    {"backup/optimized_header.yaml", '2', "/etc/x", PLACE_NONE},
	    {"backup/container.bin", '0', "", PLACE_PIECE},
	    {"backup/container.bin", '2', "/etc/x", PLACE_NONE},
	    {"backup/container.bin", '5', "", PLACE_NONE},
	    {"backup/container_x.bin", '0', "", PLACE_PIECE},
	    {"backup/containers.bin", '0', "", PLACE_NONE},
	    {"backup/container-a/b.bin", '0', "", PLACE_NONE},
	    {"backup/container", '5', "", PLACE_NONE},
	    {"backup/snapshots/s0.bin", '0', "", PLACE_PIECE},
	    {"backup/snapshots/s1.bin", '0', "", PLACE_NONE},
	    {"backup/data/volume.bin", '0', "", PLACE_PIECE},
	    {"backup/eth0/volume.bin", '0', "", PLACE_NONE},
	};

	(void)state;
	CHECK("container", true, cases);
}

/* What neither kind of volume has. */
#define FOREIGN                                                                \
	{"backup", '5', "", PLACE_NONE}, {"backup/x", '0', "", PLACE_NONE},    \
	    {"backup/volumes", '5', "", PLACE_NONE},                           \
	    {"backup/volume-snapshots", '5', "", PLACE_NONE},                  \
	    {"backup/volume-snapshots/s1", '5', "", PLACE_NONE},               \
	    {"backup/volume-snapshots/s1/x", '0', "", PLACE_NONE},             \
	    {"backup/volume-snapshots/s1.img", '0', "", PLACE_NONE},           \
	    {"backup/volume-snapshots/s1.bin", '0', "", PLACE_NONE},           \
	    {"backup/volume-snapshots/s00", '5', "", PLACE_NONE},              \
	    {"backup/snapshots/s0", '5', "", PLACE_NONE},                      \
	    {"backup/container", '5', "", PLACE_NONE},                         \
	    {"backup/container/backup.yaml", '0', "", PLACE_NONE},             \
	    {"backup/container.bin", '0', "", PLACE_NONE},                     \
	    {"backup/data/volume", '5', "", PLACE_NONE},                       \
	{                                                                      \
		"backup/virtual-machine.img", '0', "", PLACE_NONE              \
	}

static void
a_volume_of_files_has_anything_below(void **state)
{
	static const struct layout_case cases[] = {
	    {VOLUME, '5', "", PLACE_ROOT},
	    {VOLUME, '2', "/etc", PLACE_NONE},
	    {VOLUME, '0', "", PLACE_NONE},
	    {VOLUME, '6', "", PLACE_NONE},
	    {VOLUME "/x", '0', "", PLACE_BELOW},
	    {VOLUME "/x", '1', VOLUME "/y", PLACE_BELOW},
	    {VOLUME "/x", '2', "/etc/passwd", PLACE_BELOW},
	    {VOLUME "/x", '3', "", PLACE_BELOW},
	    {VOLUME "/x", '4', "", PLACE_BELOW},
	    {VOLUME "/x", '6', "", PLACE_BELOW},
	    {VOLUME "/x/y", '5', "", PLACE_BELOW},
	    /* A file like any other. */
	    {VOLUME "/backup.yaml", '0', "", PLACE_BELOW},
	    {VOLUME ".img", '0', "", PLACE_NONE},
	    {VOLUME ".bin", '0', "", PLACE_NONE},
	    {SNAPSHOT, '5', "", PLACE_ROOT},
	    {SNAPSHOT, '2', "/etc", PLACE_NONE},
	    {SNAPSHOT "/x", '2', "/etc", PLACE_BELOW},
	    {SNAPSHOT ".img", '0', "", PLACE_NONE},
	    {"backup/optimized_header.yaml", '0', "", PLACE_NONE},
	    FOREIGN,
	};

	(void)state;
	CHECK_VOLUME("filesystem", false, "", cases);
}

static void
a_block_volume_is_disks_and_no_directory(void **state)
{
	static const struct layout_case cases[] = {
	    {VOLUME ".img", '0', "", PLACE_PIECE},
	    {VOLUME ".img", '2', "/dev/sda", PLACE_NONE},
	    {VOLUME ".img", '4', "", PLACE_NONE},
	    {VOLUME ".img", '5', "", PLACE_NONE},
	    {VOLUME ".img/x", '0', "", PLACE_NONE},
	    {SNAPSHOT ".img", '0', "", PLACE_PIECE},
	    {SNAPSHOT ".img", '1', VOLUME ".img", PLACE_NONE},
	    {VOLUME, '5', "", PLACE_NONE},
	    {VOLUME, '0', "", PLACE_NONE},
	    {VOLUME "/x", '0', "", PLACE_NONE},
	    {VOLUME "/volume.img", '0', "", PLACE_NONE},
	    {SNAPSHOT, '5', "", PLACE_NONE},
	    {SNAPSHOT "/x", '0', "", PLACE_NONE},
	    {VOLUME ".bin", '0', "", PLACE_NONE},
	    {"backup/optimized_header.yaml", '0', "", PLACE_NONE},
	    FOREIGN,
	};

	(void)state;
	CHECK_VOLUME("block", false, ".img", cases);
}

static void
an_optimized_volume_is_streams(void **state)
{
	static const struct layout_case cases[] = {
	    {VOLUME ".bin", '0', "", PLACE_PIECE},
	    {VOLUME "_sub.bin", '0', "", PLACE_PIECE},
	    {VOLUME ".bin", '2', "/etc/x", PLACE_NONE},
	    {VOLUME ".bin", '5', "", PLACE_NONE},
	    {VOLUME ".img", '0', "", PLACE_NONE},
	    {VOLUME, '5', "", PLACE_NONE},
	    {VOLUME "/x", '0', "", PLACE_NONE},
	    {VOLUME "-a/b.bin", '0', "", PLACE_NONE},
	    {SNAPSHOT ".bin", '0', "", PLACE_PIECE},
	    {SNAPSHOT ".img", '0', "", PLACE_NONE},
	    {SNAPSHOT, '5', "", PLACE_NONE},
	    {"backup/optimized_header.yaml", '0', "", PLACE_PIECE},
	    FOREIGN,
	};

	(void)state;
	CHECK_VOLUME("filesystem", true, ".bin", cases);
	CHECK_VOLUME("block", true, ".bin", cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_machine_has_files_and_one_link),
	    cmocka_unit_test(a_device_has_a_volume_where_it_has_a_pool),
	    cmocka_unit_test(streams_are_files_of_known_names),
	    cmocka_unit_test(a_volume_of_files_has_anything_below),
	    cmocka_unit_test(a_block_volume_is_disks_and_no_directory),
	    cmocka_unit_test(an_optimized_volume_is_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
