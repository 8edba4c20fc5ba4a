#include <string.h>

#include "base/auto.h"
#include "stream/backup_index.h"
#include "support.h"

/* As the daemon writes it (internal/server/backup, yaml v2 style), shortened.
 */
static const char container_index[] =
    "name: web\n"
    "backend: dir\n"
    "pool: default\n"
    "snapshots:\n"
    "- snap0\n"
    "- before-upgrade\n"
    "optimized: false\n"
    "optimized_header: false\n"
    "type: container\n"
    "config:\n"
    "  container:\n"
    "    architecture: x86_64\n"
    "    config:\n"
    "      image.architecture: amd64\n"
    "      image.description: Debian bookworm amd64 (20261120_05:24)\n"
    "      limits.memory: 512MiB\n"
    "      security.nesting: \"true\"\n"
    "      user.user-data: |\n"
    "        #cloud-config\n"
    "        packages: [nginx]\n"
    "      volatile.eth0.hwaddr: 00:16:3e:12:34:56\n"
    "      volatile.last_state.idmap: '[]'\n"
    "    devices:\n"
    "      data:\n"
    "        path: /srv\n"
    "        pool: default\n"
    "        source: webdata\n"
    "        type: disk\n"
    "    ephemeral: false\n"
    "    profiles:\n"
    "    - default\n"
    "    - small\n"
    "    stateful: false\n"
    "    description: \"\"\n"
    "    created_at: 2026-11-20T10:11:12.131415161Z\n"
    "    expanded_config:\n"
    "      limits.memory: 512MiB\n"
    "    expanded_devices:\n"
    "      data:\n"
    "        path: /srv\n"
    "        pool: default\n"
    "        source: webdata\n"
    "        type: disk\n"
    "      eth0:\n"
    "        name: eth0\n"
    "        network: incusbr0\n"
    "        type: nic\n"
    "      root:\n"
    "        path: /\n"
    "        pool: default\n"
    "        type: disk\n"
    "    name: web\n"
    "    status: Stopped\n"
    "    status_code: 102\n"
    "    last_used_at: 0001-01-01T00:00:00Z\n"
    "    location: none\n"
    "    type: container\n"
    "    project: work\n"
    "  snapshots:\n"
    "  - architecture: x86_64\n"
    "    config: {}\n"
    "    name: snap0\n"
    "    expires_at: 0001-01-01T00:00:00Z\n"
    "  pool:\n"
    "    config:\n"
    "      source: /var/lib/incus/storage-pools/default\n"
    "    description: \"\"\n"
    "    name: default\n"
    "    driver: dir\n"
    "    used_by: []\n"
    "  profiles:\n"
    "  - config: {}\n"
    "    description: Default Incus profile\n"
    "    devices:\n"
    "      eth0:\n"
    "        name: eth0\n"
    "        network: incusbr0\n"
    "        type: nic\n"
    "    name: default\n"
    "    used_by: []\n"
    "  - config:\n"
    "      limits.memory: 512MiB\n"
    "    description: \"\"\n"
    "    devices: {}\n"
    "    name: small\n"
    "    used_by: []\n"
    "  volume:\n"
    "    config: {}\n"
    "    description: \"\"\n"
    "    name: web\n"
    "    type: container\n"
    "    content_type: filesystem\n";

static const char machine_index[] = "name: desk\n"
				    "backend: btrfs\n"
				    "pool: fast\n"
				    "snapshots: []\n"
				    "optimized: true\n"
				    "optimized_header: true\n"
				    "type: virtual-machine\n"
				    "config:\n"
				    "  container:\n"
				    "    architecture: aarch64\n"
				    "    config: {}\n"
				    "    devices:\n"
				    "      root:\n"
				    "        path: /\n"
				    "        pool: fast\n"
				    "        size: 10GiB\n"
				    "        type: disk\n"
				    "    profiles: []\n"
				    "    expanded_devices: {}\n"
				    "    name: desk\n"
				    "    type: virtual-machine\n"
				    "  profiles: []\n";

static const char volume_index[] =
    "name: vdata\n"
    "backend: btrfs\n"
    "pool: bt\n"
    "snapshots:\n"
    "- s0\n"
    "optimized: false\n"
    "optimized_header: false\n"
    "type: custom\n"
    "config:\n"
    "  volume:\n"
    "    config:\n"
    "      user.foo: bar\n"
    "      volatile.idmap.last: '[]'\n"
    "    description: \"\"\n"
    "    name: vdata\n"
    "    type: custom\n"
    "    used_by: []\n"
    "    location: none\n"
    "    content_type: filesystem\n"
    "    project: work\n"
    "    created_at: 2026-12-01T00:33:35.368919619Z\n"
    "  volume_snapshots:\n"
    "  - description: \"\"\n"
    "    expires_at: 0001-01-01T00:00:00Z\n"
    "    name: s0\n"
    "    config: {}\n"
    "    content_type: filesystem\n"
    "    created_at: 2026-12-01T00:33:35.695918393Z\n";

static int
parse(const char *text, struct backup_index *ret, struct error *err)
{
	return backup_index_parse(text, strlen(text), ret, err);
}

static void
assert_refused(const char *text, size_t size)
{
	struct backup_index index = {.name = "kept"};
	struct error err = {0};

	assert_int_equal(backup_index_parse(text, size, &index, &err), -1);
	assert_error(&err, ERROR_DAMAGED);
	assert_null(index.root);
	assert_string_equal(index.name, "kept");
}

static const char *
text_at(const json_t *object, const char *first, const char *second)
{
	return json_text(json_object_get(object, first), second);
}

static void
a_container_is_read(void **state)
{
	struct error err = {0};
	auto_backup_index struct backup_index index = {0};
	(void)state;
	assert_int_equal(parse(container_index, &index, &err), 0);
	assert_no_error(&err);
	assert_string_equal(index.name, "web");
	assert_string_equal(index.type, "container");
	assert_string_equal(index.pool, "default");
	assert_string_equal(index.driver, "dir");
	assert_string_equal(index.architecture, "x86_64");
	assert_string_equal(index.project, "work");
	assert_false(index.optimized);

	assert_int_equal(json_array_size(index.snapshots), 2);
	assert_string_equal(
	    json_string_value(json_array_get(index.snapshots, 1)),
	    "before-upgrade");
	assert_string_equal(
	    json_string_value(json_array_get(index.profiles, 1)), "small");
	assert_string_equal(
	    json_text(index.config, "security.nesting"), "true");
	assert_string_equal(json_text(index.config, "user.user-data"),
	    "#cloud-config\npackages: [nginx]\n");
	/* Not those that the profiles bring. */
	assert_int_equal(json_object_size(index.devices), 1);
	assert_string_equal(
	    text_at(index.devices, "data", "source"), "webdata");
	assert_string_equal(
	    text_at(json_array_get(index.profile_definitions, 1), "config",
		"limits.memory"),
	    "512MiB");
}

static void
a_machine_is_read(void **state)
{
	struct error err = {0};
	auto_backup_index struct backup_index index = {0};

	(void)state;
	assert_int_equal(parse(machine_index, &index, &err), 0);
	assert_no_error(&err);
	assert_string_equal(index.name, "desk");
	assert_string_equal(index.type, "virtual-machine");
	assert_string_equal(index.driver, "btrfs");
	assert_string_equal(index.architecture, "aarch64");
	assert_string_equal(index.project, "");
	assert_true(index.optimized);
	assert_int_equal(json_array_size(index.snapshots), 0);
	assert_string_equal(text_at(index.devices, "root", "size"), "10GiB");
}

/* Nothing of an instance is in it, and nobody takes it for one. */
static void
a_volume_is_read(void **state)
{
	struct error err = {0};
	auto_backup_index struct backup_index index = {0};
	auto_free char *subject = NULL;

	(void)state;
	assert_int_equal(parse(volume_index, &index, &err), 0);
	assert_true(backup_index_is_volume(&index));
	assert_string_equal(index.name, "vdata");
	assert_string_equal(index.type, "custom");
	assert_string_equal(index.content_type, "filesystem");
	assert_string_equal(index.pool, "bt");
	assert_string_equal(index.driver, "btrfs");
	assert_string_equal(index.project, "work");
	assert_string_equal(index.architecture, "");
	assert_string_equal(json_text(index.config, "user.foo"), "bar");
	assert_string_equal(json_text(index.volume, "location"), "none");
	assert_string_equal(
	    json_text(json_array_get(index.snapshot_definitions, 0), "name"),
	    "s0");
	assert_null(index.instance);
	assert_null(index.devices);
	assert_null(index.profiles);
	assert_null(index.profile_definitions);

	subject = backup_index_subject(&index, &err);
	assert_string_equal(subject, "bt/vdata");
	assert_no_error(&err);
	assert_int_equal(backup_index_refuse_volume(&index, &err), -1);
	assert_error(&err, ERROR_DAMAGED);
}

static void
an_instance_is_no_volume(void **state)
{
	static const char *const texts[] = {container_index, machine_index};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct error err = {0};
		auto_backup_index struct backup_index index = {0};
		auto_free char *subject = NULL;

		assert_int_equal(parse(texts[i], &index, &err), 0);
		assert_false(backup_index_is_volume(&index));
		assert_null(index.volume);
		assert_string_equal(index.content_type, "");
		subject = backup_index_subject(&index, &err);
		assert_string_equal(subject, index.name);
		assert_int_equal(backup_index_refuse_volume(&index, &err), 0);
		assert_no_error(&err);
	}
}

static void
what_is_no_instance_is_refused(void **state)
{
	static const char *const bad[] = {
	    ("name: data\ntype: custom\npool: p\nconfig:\n  volume:\n"
	     "    content_type: iso\n"),
	    "type: custom\nconfig:\n  volume:\n    name: data\n",
	    "name: b\ntype: bucket\n",
	    "name: web\n",
	    "name: web\ntype: \"\"\n",
	    "name: web\ntype: Container\n",
	    "name: web\ntype: [container]\n",
	    "name: web\ntype: \"container\\0\"\n",
	    "type: container\n",
	    "type: container\nname: \"\"\n",
	    "type: container\nname: {a: b}\n",
	    "type: container\nname: \"we\\0b\"\n",
	    "",
	    "null\n",
	    "- name: web\n- type: container\n",
	    "container\n",
	    "name: web\ntype: container\n---\nname: other\n",
	    "name: &n web\ntype: container\npool: *n\n",
	    "name: web\n\ttype: container\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_refused(bad[i], strlen(bad[i]));
	assert_refused("name: web\ntype: container\n\0", 27);
}

/* Go writes "null" or "[]" or leaves a key out, as the version will have it. */
static void
nulls_and_other_types_read_as_missing(void **state)
{
	static const char *const sparse[] = {
	    "name: web\ntype: container\n",
	    "name: web\ntype: container\nconfig: null\nsnapshots: null\n",
	    "name: web\ntype: container\nconfig:\n  container: null\n",
	    "name: web\ntype: container\nconfig:\n  container: {}\n",
	    ("name: web\ntype: container\nsnapshots:\nconfig:\n  container:\n"
	     "    config: null\n    profiles: null\n    devices:\n"
	     "  profiles: ~\n"),
	    "name: web\ntype: container\nsnapshots: {a: b}\nconfig: [x]\n",
	    "name: data\ntype: custom\n",
	    "name: data\ntype: custom\nconfig:\n  volume: null\n",
	    ("name: data\ntype: custom\nconfig:\n  container:\n"
	     "    architecture: x\n    config: {a: b}\n"),
	    ("name: web\ntype: container\nsnapshots: x\nconfig:\n"
	     "  container: [x]\n  profiles: {a: b}\noptimized: []\n"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sparse); i++) {
		struct error err = {0};
		auto_backup_index struct backup_index index = {0};

		assert_int_equal(parse(sparse[i], &index, &err), 0);
		assert_no_error(&err);
		assert_string_equal(index.pool, "");
		assert_string_equal(index.architecture, "");
		assert_string_equal(index.project, "");
		assert_string_equal(index.content_type, "");
		assert_false(index.optimized);
		assert_int_equal(json_array_size(index.snapshots), 0);
		assert_int_equal(json_array_size(index.profiles), 0);
		assert_int_equal(json_object_size(index.config), 0);
		assert_int_equal(json_object_size(index.devices), 0);
		assert_int_equal(json_array_size(index.profile_definitions), 0);
	}
}

static void
every_truncation_ends_well(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(container_index) - 1; size++) {
		struct error err = {0};
		auto_backup_index struct backup_index index = {0};
		int status =
		    backup_index_parse(container_index, size, &index, &err);

		assert_int_equal(status < 0, error_is_set(&err));
		if (status < 0)
			assert_error(&err, ERROR_DAMAGED);
		else
			assert_string_equal(index.name, "web");
	}
}

static void
clear_is_for_any_state(void **state)
{
	struct backup_index index = {0};
	struct error err = {0};

	(void)state;
	backup_index_clear(&index);
	assert_int_equal(parse(machine_index, &index, &err), 0);
	backup_index_clear(&index);
	assert_null(index.root);
	assert_null(index.name);
	backup_index_clear(&index);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_container_is_read),
	    cmocka_unit_test(a_machine_is_read),
	    cmocka_unit_test(a_volume_is_read),
	    cmocka_unit_test(an_instance_is_no_volume),
	    cmocka_unit_test(what_is_no_instance_is_refused),
	    cmocka_unit_test(nulls_and_other_types_read_as_missing),
	    cmocka_unit_test(every_truncation_ends_well),
	    cmocka_unit_test(clear_is_for_any_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
