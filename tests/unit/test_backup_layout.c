#include "stream/backup_layout.h"

#include <string.h>

#include "base/json.h"
#include "stream/backup_index.h"
#include "stream/tar_walk.h"
#include "support.h"

struct layout_case {
	const char *name;
	char type;
	const char *link;
	enum backup_place place;
};

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
	for (size_t i = 0; i < count; i++) {
		struct tar_member member = {
		    .type = (enum tar_type)cases[i].type};
		size_t root_length;

		strcpy(member.name, cases[i].name);
		strcpy(member.link, cases[i].link);
		if (backup_layout_place(&index, &member, &root_length) !=
		    cases[i].place)
			fail_msg("'%s' of type %c is not at place %d",
			    cases[i].name, cases[i].type, (int)cases[i].place);
	}
}

#define CHECK(type, optimized, cases)                                          \
	check(type, optimized, cases, sizeof(cases) / sizeof((cases)[0]))

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_machine_has_files_and_one_link),
	    cmocka_unit_test(a_device_has_a_volume_where_it_has_a_pool),
	    cmocka_unit_test(streams_are_files_of_known_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
