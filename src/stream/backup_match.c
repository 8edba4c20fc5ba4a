#include "stream/backup_match.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "stream/backup_index.h"

/* The longest host name (RFC 1035), which an instance's is. */
#define INSTANCE_NAME_MAX 63

/* What a file's name holds; the daemon's snapshots and volumes are directories.
 */
#define FILE_NAME_MAX 255

/* Where in the tree of values a difference is: "container.config.raw.lxc". */
#define PATH_BYTES 256

/* What another client may change between the daemon's two looks at it. */
static const char *const changing[] = {
    "last_used_at", "status", "status_code", "used_by"};

/* shared/validate, IsHostname, in incus: letters, digits and "-", but no
 * number.
 */
static bool
is_instance_name(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > INSTANCE_NAME_MAX || name[0] == '-' ||
	    name[length - 1] == '-' || strspn(name, "0123456789") == length)
		return false;
	for (; *name != '\0'; name++) {
		if (!isalnum((unsigned char)*name) && *name != '-')
			return false;
	}
	return true;
}

/* ValidName in its internal/server/instance, and what is a file's name. */
static bool
is_snapshot_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= FILE_NAME_MAX &&
	       strpbrk(name, " /") == NULL && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

/* Of a volume, and of its snapshots. IsAPIName in incus, shared/validate,
 * allows less; 6.0 does not ask it. */
static bool
is_volume_name(const char *name)
{
	if (!is_snapshot_name(name))
		return false;
	for (; *name != '\0'; name++) {
		if ((unsigned char)*name <= ' ' || *name == '\x7f')
			return false;
	}
	return true;
}

static int
refuse_missing(const char *path, struct error *err)
{
	return error_set(err, ERROR_UNSAFE,
	    _("'%s' in backup/index.yaml is missing, or not what it should "
	      "be"),
	    path);
}

static bool
is_text(const json_t *object, const char *key, const char *text)
{
	const char *own = json_text(object, key);

	return own != NULL && strcmp(own, text) == 0;
}

/* An object whose values are all of one kind. */
static bool
holds_only(const json_t *object, json_type type)
{
	const char *key;
	const json_t *value;

	if (!json_is_object(object))
		return false;
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (json_typeof(value) != type)
			return false;
	}
	return true;
}

/* Keys and devices, as an instance, a snapshot and a profile have them. */
static bool
has_settings(const json_t *object)
{
	const json_t *devices = json_object_get(object, "devices");
	const char *name;
	const json_t *device;

	if (!holds_only(json_object_get(object, "config"), JSON_STRING) ||
	    !holds_only(devices, JSON_OBJECT))
		return false;
	json_object_foreach((json_t *)(uintptr_t)devices, name, device)
	{
		if (!holds_only(device, JSON_STRING))
			return false;
	}
	return true;
}

/* A list of objects, none of them empty; it may be absent. */
static bool
is_list(const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (!json_is_object(one))
			return false;
	}
	return list == NULL || json_is_array(list);
}

static int
check_instance(const struct backup_index *index, struct error *err)
{
	const json_t *name;
	size_t i;

	if (!is_instance_name(index->name))
		return error_set(err, ERROR_UNSAFE,
		    _("'%s' is no name of an instance"), index->name);
	if (!has_settings(index->instance))
		return refuse_missing("config.container", err);
	if (!is_text(index->instance, "name", index->name))
		return refuse_missing("config.container.name", err);
	if (!is_text(index->instance, "type", index->type))
		return refuse_missing("config.container.type", err);
	if (!json_is_array(index->profiles))
		return refuse_missing("config.container.profiles", err);
	json_array_foreach(index->profiles, i, name)
	{
		if (!json_is_string(name))
			return refuse_missing("config.container.profiles", err);
	}
	return 0;
}

static int
check_profiles(const struct backup_index *index, struct error *err)
{
	const json_t *one;
	size_t i;

	if (!is_list(index->profile_definitions))
		return refuse_missing("config.profiles", err);
	json_array_foreach(index->profile_definitions, i, one)
	{
		if (json_text(one, "name") == NULL || !has_settings(one))
			return refuse_missing("config.profiles", err);
	}
	return 0;
}

/* What the definition of a snapshot calls it: old exports of volumes say
 * VOLUME/SNAPSHOT (incus, internal/server/storage/backend.go,
 * CreateCustomVolumeFromBackup). */
static const char *
defined_name(const struct backup_index *index, const json_t *definition)
{
	const char *name = json_text(definition, "name");
	size_t length = strlen(index->name);

	if (name != NULL && backup_index_is_volume(index) &&
	    strncmp(name, index->name, length) == 0 && name[length] == '/')
		return name + length + 1;
	return name;
}

static bool
is_definition(const struct backup_index *index, const json_t *definition)
{
	if (!backup_index_is_volume(index))
		return has_settings(definition);
	return is_text(definition, "content_type", index->content_type) &&
	       holds_only(json_object_get(definition, "config"), JSON_STRING);
}

/* The names in both lists are the same, in the same order. */
static int
check_snapshots(const struct backup_index *index, struct error *err)
{
	const json_t *definitions = index->snapshot_definitions;
	bool is_volume = backup_index_is_volume(index);
	const json_t *one;
	size_t i;

	if (!is_list(definitions) ||
	    (index->snapshots != NULL && !json_is_array(index->snapshots)) ||
	    json_array_size(definitions) != json_array_size(index->snapshots))
		return refuse_missing("snapshots", err);
	json_array_foreach(index->snapshots, i, one)
	{
		const json_t *definition = json_array_get(definitions, i);
		const char *defined = defined_name(index, definition);
		const char *name = json_string_value(one);

		if (name == NULL || defined == NULL ||
		    !is_definition(index, definition) ||
		    strcmp(name, defined) != 0)
			return refuse_missing(is_volume
						  ? "config.volume_snapshots"
						  : "config.snapshots",
			    err);
		if (!is_snapshot_name(name) ||
		    (is_volume && !is_volume_name(name)))
			return error_set(err, ERROR_UNSAFE,
			    _("'%s' is no name of a snapshot"), name);
	}
	return 0;
}

static int
check_storage(const struct backup_index *index, struct error *err)
{
	const json_t *config = json_object_get(index->root, "config");

	if (*index->pool == '\0')
		return refuse_missing("pool", err);
	if (!json_is_object(json_object_get(config, "pool")))
		return refuse_missing("config.pool", err);
	if (!json_is_object(json_object_get(config, "volume")))
		return refuse_missing("config.volume", err);
	if (!is_list(json_object_get(config, "volume_snapshots")))
		return refuse_missing("config.volume_snapshots", err);
	if (!is_list(json_object_get(config, "dependent_volumes")))
		return refuse_missing("config.dependent_volumes", err);
	return 0;
}

/* The daemon reads these of a volume's index, too, and makes nothing of them:
 * Incus writes none. */
static int
check_nothing_else(const struct backup_index *index, struct error *err)
{
	static const char *const foreign[] = {"container", "instance",
	    "snapshots", "profiles", "dependent_volumes", "bucket",
	    "bucket_keys"};
	const json_t *config = json_object_get(index->root, "config");

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (json_object_get(config, foreign[i]) != NULL)
			return error_set(err, ERROR_UNSAFE,
			    _("backup/index.yaml is of a volume, and has "
			      "'config.%s'"),
			    foreign[i]);
	}
	return 0;
}

static int
check_volume(const struct backup_index *index, struct error *err)
{
	if (!is_volume_name(index->name))
		return error_set(err, ERROR_UNSAFE,
		    _("'%s' is no name of a volume"), index->name);
	if (*index->pool == '\0')
		return refuse_missing("pool", err);
	if (!is_text(index->volume, "name", index->name))
		return refuse_missing("config.volume.name", err);
	if (!is_text(index->volume, "type", index->type))
		return refuse_missing("config.volume.type", err);
	if (strcmp(index->content_type, "filesystem") != 0 &&
	    strcmp(index->content_type, "block") != 0)
		return refuse_missing("config.volume.content_type", err);
	if (!holds_only(index->config, JSON_STRING))
		return refuse_missing("config.volume.config", err);
	return check_nothing_else(index, err);
}

int
backup_match_index(const struct backup_index *index, struct error *err)
{
	if (backup_index_is_volume(index))
		return check_volume(index, err) < 0
			   ? -1
			   : check_snapshots(index, err);
	if (check_instance(index, err) < 0 || check_profiles(index, err) < 0 ||
	    check_snapshots(index, err) < 0)
		return -1;
	return check_storage(index, err);
}

static bool
changes_by_itself(const char *key)
{
	for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++) {
		if (strcmp(key, changing[i]) == 0)
			return true;
	}
	return false;
}

/* Adds a step to the path, and says how long it was before. */
static size_t
step_down(char path[PATH_BYTES], const char *key)
{
	size_t length = strlen(path);

	(void)snprintf(path + length, PATH_BYTES - length, "%s%s",
	    length > 0 ? "." : "", key);
	return length;
}

static bool is_same(const json_t *one, const json_t *other, char *path);

/* All of `one` is in `other`, too; values are compared where `deep`. */
static bool
covers(const json_t *one, const json_t *other, bool deep, char *path)
{
	const char *key;
	const json_t *value;

	json_object_foreach((json_t *)(uintptr_t)one, key, value)
	{
		const json_t *twin = json_object_get(other, key);
		size_t before;

		if (changes_by_itself(key))
			continue;
		before = step_down(path, key);
		if (twin == NULL || (deep && !is_same(value, twin, path)))
			return false;
		path[before] = '\0';
	}
	return true;
}

/* The path of the first difference stays in `path`. The depth is that of the
 * YAML (base/yaml.c). */
static bool
is_same(const json_t *one, const json_t *other, char *path)
{
	const json_t *value;
	size_t i;

	if (json_is_object(one) && json_is_object(other))
		return covers(one, other, true, path) &&
		       covers(other, one, false, path);
	if (!json_is_array(one) || !json_is_array(other))
		return json_equal(one, other) == 1;
	if (json_array_size(one) != json_array_size(other))
		return false;
	json_array_foreach(one, i, value)
	{
		char number[24];
		size_t before;

		(void)snprintf(number, sizeof(number), "%zu", i);
		before = step_down(path, number);
		if (!is_same(value, json_array_get(other, i), path))
			return false;
		path[before] = '\0';
	}
	return true;
}

int
backup_match_config(
    const struct backup_index *index, const json_t *config, struct error *err)
{
	char path[PATH_BYTES] = "";

	if (is_same(json_object_get(index->root, "config"), config, path))
		return 0;
	error_set(err, ERROR_UNSAFE,
	    _("backup/index.yaml and the backup.yaml of the instance do not "
	      "say "
	      "the same of '%s'"),
	    path);
	return error_hint(
	    err, _("the daemon would look at the one and make the other"));
}
