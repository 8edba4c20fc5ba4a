#include "transfer/host_keys.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/config_value.h"

/* Of the names that a message lists. */
#define NAMES_MAX 16

/* What restricted projects forbid as low-level (incus,
 * internal/server/project/permissions.go), and what became known since: any
 * value counts but an empty one and "false". */
static const char *const prefixes[] = {
    "raw.",
    "linux.kernel_modules",
    "security.delegate_bpf",
    "security.syscalls.intercept.",
};

static const char *const keys[] = {
    "security.idmap.base", "security.idmap.size", "security.devlxd.images",
    "security.guestapi.images",
    "block.mount_options", /* of a volume: the host mounts it */
};

/* These only when they are true. */
static const char *const switches[] = {
    "security.privileged", "nvidia.runtime",
    "security.unmapped", /* of a volume: its root is the host's */
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
is_false(const json_t *config, const char *key)
{
	const char *value = json_text(config, key);

	return value != NULL &&
	       (*value == '\0' || strcasecmp(value, "false") == 0);
}

static bool
is_one_of(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; text != NULL && i < count; i++) {
		if (strcmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

bool
host_keys_has(const char *key)
{
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		if (text_starts_with(key, prefixes[i]))
			return true;
	}
	return is_one_of(key, keys, COUNT(keys)) ||
	       is_one_of(key, switches, COUNT(switches));
}

static bool
key_gives_away(const json_t *config, const char *key)
{
	if (is_one_of(key, switches, COUNT(switches)))
		return config_is_true(config, key);
	return host_keys_has(key) && !is_false(config, key);
}

/* The root disk, a volume of a pool, or what the daemon itself makes. */
static bool
disk_gives_away(const json_t *device)
{
	static const char *const made[] = {"agent:config", "cloud-init:config"};
	const char *source = json_text(device, "source");
	const char *pool = json_text(device, "pool");

	if (source == NULL || *source == '\0' ||
	    is_one_of(source, made, COUNT(made)))
		return false;
	return pool == NULL || *pool == '\0' || *source == '/';
}

/* A device of a type that is not known to be harmless does. */
static bool
device_gives_away(const json_t *device)
{
	static const char *const harmless[] = {"none", "nic", "tpm"};
	static const char *const host_nics[] = {"physical", "sriov"};
	const char *type = json_text(device, "type");

	if (type != NULL && strcmp(type, "disk") == 0)
		return disk_gives_away(device);
	if (type != NULL && strcmp(type, "nic") == 0)
		return is_one_of(
		    json_text(device, "nictype"), host_nics, COUNT(host_nics));
	return !is_one_of(type, harmless, COUNT(harmless));
}

static int
add(json_t *found, const char *prefix, const char *name, json_t *value,
    struct error *err)
{
	auto_free char *whole = text_format(err, "%s%s", prefix, name);

	if (whole == NULL)
		return -1;
	return json_array_append_new(found,
		   json_pack("{s:s, s:O}", "name", whole, "value", value)) < 0
		   ? error_set_memory(err)
		   : 0;
}

int
host_keys_collect(const json_t *instance, json_t *found, struct error *err)
{
	const json_t *config = json_object_get(instance, "config");
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)config, name, value)
	{
		if (key_gives_away(config, name) &&
		    add(found, "", name, value, err) < 0)
			return -1;
	}
	json_object_foreach(json_object_get(instance, "devices"), name, value)
	{
		if (device_gives_away(value) &&
		    add(found, "devices.", name, value, err) < 0)
			return -1;
	}
	return 0;
}

/* In one of the lists that were typed. */
static bool
is_allowed(const struct host_keys_leave *leave, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < leave->allowed_count; i++) {
		const char *word = leave->allowed[i];

		while (word != NULL) {
			size_t size = strcspn(word, ",");

			if (size == length && memcmp(word, name, size) == 0)
				return true;
			word = word[size] == ',' ? word + size + 1 : NULL;
		}
	}
	return false;
}

/* The instance that is replaced has exactly this. */
static bool
is_there_already(
    const struct host_keys_leave *leave, const char *name, const json_t *value)
{
	static const char devices[] = "devices.";
	const json_t *there;

	if (leave->same_as == NULL)
		return false;
	if (text_starts_with(name, devices))
		there = json_at(
		    leave->same_as, "devices", name + strlen(devices), NULL);
	else
		there = json_at(leave->same_as, "config", name, NULL);
	return there != NULL && json_equal(there, value) != 0;
}

static bool
passes(const struct host_keys_leave *leave, const json_t *one)
{
	const char *name = json_text(one, "name");

	return is_allowed(leave, name) ||
	       is_there_already(leave, name, json_object_get(one, "value"));
}

static void
append(char *list, size_t size, const char *separator, const char *name)
{
	size_t used = strlen(list);
	char shown[256];

	(void)snprintf(list + used, size - used, "%s%s",
	    used > 0 ? separator : "",
	    text_escape(shown, sizeof(shown), name, strlen(name)));
}

static int
refuse(const json_t *refused, struct error *err)
{
	char shown[ERROR_TEXT_BYTES / 2] = "";
	char option[ERROR_TEXT_BYTES / 2] = "";
	bool plain = true;
	const char *name;
	const json_t *value;
	size_t i = 0;

	json_object_foreach((json_t *)(uintptr_t)refused, name, value)
	{
		plain = plain && text_is_plain_word(name) && i < NAMES_MAX;
		if (i++ >= NAMES_MAX)
			break;
		append(shown, sizeof(shown), ", ", name);
		append(option, sizeof(option), ",", name);
	}
	error_set(err, ERROR_UNSAFE,
	    _("what is in it would reach for the host: %s"), shown);
	if (plain)
		return error_hint_command(err, "--allow", option, NULL);
	return error_hint(err, "--allow-unsafe");
}

int
host_keys_check(
    const json_t *found, const struct host_keys_leave *leave, struct error *err)
{
	/* Its keys are the names: a snapshot mostly has what the instance has.
	 */
	auto_json json_t *refused = json_object();
	const json_t *one;
	size_t i;

	if (leave->all)
		return 0;
	json_array_foreach(found, i, one)
	{
		if (!passes(leave, one) &&
		    json_object_set_new(
			refused, json_text(one, "name"), json_true()) < 0)
			return error_set_memory(err);
	}
	return json_object_size(refused) > 0 ? refuse(refused, err) : 0;
}
