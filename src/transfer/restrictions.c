#include "transfer/restrictions.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/config_value.h"
#include "incus/instance.h"
#include "incus/project.h"
#include "stream/backup_index.h"

/* Devices that are there or not; allowed by "allow" alone. */
static const struct {
	const char *type;
	const char *restriction;
} devices[] = {
    {"unix-char", "restricted.devices.unix-char"},
    {"unix-block", "restricted.devices.unix-block"},
    {"unix-hotplug", "restricted.devices.unix-hotplug"},
    {"infiniband", "restricted.devices.infiniband"},
    {"gpu", "restricted.devices.gpu"},
    {"usb", "restricted.devices.usb"},
    {"pci", "restricted.devices.pci"},
    {"proxy", "restricted.devices.proxy"},
};

/* Keys of containers; those of truth only where they are true. */
static const struct {
	const char *key;
	const char *restriction;
	bool of_truth;
} keys[] = {
    {"security.nesting", "restricted.containers.nesting", true},
    {"security.privileged", "restricted.containers.privilege", true},
    {"raw.apparmor", "restricted.containers.lowlevel", false},
    {"raw.lxc", "restricted.containers.lowlevel", false},
    {"raw.seccomp", "restricted.containers.lowlevel", false},
    {"linux.kernel_modules", "restricted.containers.lowlevel", false},
};

struct look {
	const char *project;
	const json_t *config; /* the project's */
	char list[ERROR_TEXT_BYTES];
	struct error hints;
};

static bool
allows(const struct look *look, const char *restriction)
{
	const char *value = json_text(look->config, restriction);

	return value != NULL && strcmp(value, "allow") == 0;
}

static void
note(struct look *look, const char *what, const char *restriction)
{
	size_t used = strlen(look->list);
	char escaped[256];
	char setting[128];

	(void)snprintf(look->list + used, sizeof(look->list) - used,
	    "%s'%s' (%s)", used > 0 ? ", " : "",
	    text_escape(escaped, sizeof(escaped), what, strlen(what)),
	    restriction);
	(void)snprintf(setting, sizeof(setting), "%s=allow", restriction);
	if (strstr(look->hints.hint, setting) == NULL)
		error_hint_command(&look->hints, "incus", "project", "set",
		    look->project, setting, NULL);
}

static void
check_keys(struct look *look, const struct backup_index *index)
{
	if (strcmp(index->type, "container") != 0)
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *key = keys[i].key;
		bool is_set = keys[i].of_truth
				  ? config_is_true(index->config, key)
				  : json_text(index->config, key) != NULL;

		if (is_set && !allows(look, keys[i].restriction))
			note(look, key, keys[i].restriction);
	}
}

/* By default a network or pool of Incus's own is let through. */
static bool
is_managed(const struct look *look, const json_t *device,
    const char *restriction, const char *by)
{
	const char *value = json_text(look->config, restriction);

	if (value != NULL && strcmp(value, "block") == 0)
		return false;
	return json_text(device, by) != NULL;
}

static void
check_device(struct look *look, const char *name, const json_t *device)
{
	const char *type = json_text(device, "type");
	const char *path = json_text(device, "path");
	bool is_root = path != NULL && strcmp(path, "/") == 0;

	if (type == NULL)
		return;
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		if (strcmp(type, devices[i].type) == 0 &&
		    !allows(look, devices[i].restriction))
			note(look, name, devices[i].restriction);
	}
	if (strcmp(type, "nic") == 0 &&
	    !allows(look, "restricted.devices.nic") &&
	    !is_managed(look, device, "restricted.devices.nic", "network"))
		note(look, name, "restricted.devices.nic");
	if (strcmp(type, "disk") == 0 && !is_root &&
	    !allows(look, "restricted.devices.disk") &&
	    !is_managed(look, device, "restricted.devices.disk", "pool"))
		note(look, name, "restricted.devices.disk");
}

static int
check_restrictions(
    struct look *look, const struct backup_index *index, struct error *err)
{
	const char *name;
	json_t *device;

	if (!config_is_true(look->config, "restricted"))
		return 0;
	check_keys(look, index);
	json_object_foreach((json_t *)(uintptr_t)index->devices, name, device)
	{
		check_device(look, name, device);
	}
	if (look->list[0] == '\0')
		return 0;
	error_set(err, ERROR_DENIED, _("the project '%s' does not allow %s"),
	    look->project, look->list);
	memcpy(err->hint, look->hints.hint, sizeof(err->hint));
	return -1;
}

static int
check_count(
    const struct look *look, struct incus_client *client, struct error *err)
{
	const char *limit = json_text(look->config, "limits.instances");
	auto_instance_names struct instance_names names = {0};
	uint64_t most;
	uint64_t count = 0;

	if (limit == NULL || !text_parse_number(limit, UINT32_MAX, &most))
		return 0;
	if (incus_list_names(client, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		count += strcmp(names.items[i].project, look->project) == 0;
	if (count < most)
		return 0;
	return error_set(err, ERROR_DENIED,
	    _("the project '%s' may hold %s instances, and does "
	      "(limits.instances)"),
	    look->project, limit);
}

int
restrictions_check(struct incus_client *client, const char *project,
    const struct backup_index *index, struct error *err)
{
	auto_json json_t *object = NULL;
	int found = incus_project_get(client, project, &object, err);
	struct look look = {
	    .project = project, .config = json_object_get(object, "config")};

	if (found <= 0)
		return found;
	if (check_restrictions(&look, index, err) < 0)
		return -1;
	return check_count(&look, client, err);
}
