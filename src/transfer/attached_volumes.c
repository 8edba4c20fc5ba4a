#include "transfer/attached_volumes.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/project.h"
#include "incus/volume.h"

/* A disk that is neither the instance's root nor, since 7.0, a volume that goes
 * where the instance goes (incus, doc/reference/devices_disk, "dependent"). */
static bool
is_elsewhere(const json_t *device)
{
	const char *type = json_text(device, "type");
	const char *path = json_text(device, "path");
	const char *dependent = json_text(device, "dependent");

	return type != NULL && strcmp(type, "disk") == 0 &&
	       (path == NULL || strcmp(path, "/") != 0) &&
	       (dependent == NULL || strcmp(dependent, "true") != 0);
}

/* "VOLUME/sub/path" attaches a part of it. */
static size_t
volume_length(const char *source)
{
	return strcspn(source, "/");
}

struct backup_subject
attached_volume_subject(const json_t *volume)
{
	return (struct backup_subject){
	    .project = json_text(volume, "project"),
	    .pool = json_text(volume, "pool"),
	    .name = json_text(volume, "name"),
	};
}

bool
attached_volume_is_type(const char *content_type)
{
	return strcmp(content_type, "filesystem") == 0 ||
	       strcmp(content_type, "block") == 0;
}

static bool
is_same(const json_t *one, const json_t *other)
{
	static const char *const keys[] = {"project", "pool", "name"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (json_equal(json_object_get(one, keys[i]),
			json_object_get(other, keys[i])) == 0)
			return false;
	}
	return true;
}

json_t *
attached_volume_find(const json_t *volumes, const json_t *volume)
{
	json_t *one;
	size_t i;

	json_array_foreach(volumes, i, one)
	{
		if (is_same(one, volume))
			return one;
	}
	return NULL;
}

/* Whether it can be backed up, and is there at all: 1, 0 or -1. */
static int
is_wanted(struct incus_client *client, const json_t *volume, struct error *err)
{
	const struct backup_subject subject = attached_volume_subject(volume);
	auto_json json_t *about = NULL;
	const char *type;
	int found = incus_volume_get(client, &subject, &about, err);

	if (found <= 0)
		return found;
	type = json_text(about, "content_type");
	return type != NULL && attached_volume_is_type(type);
}

static int
add(struct incus_client *client, const char *project, const json_t *device,
    json_t *volumes, struct error *err)
{
	const char *source = json_text(device, "source");
	auto_free char *name = text_copy(source, volume_length(source), err);
	auto_json json_t *volume = NULL;
	int wanted;

	if (name == NULL)
		return -1;
	volume = json_pack("{s:s, s:s, s:s}", "project", project, "pool",
	    json_text(device, "pool"), "name", name);
	if (volume == NULL)
		return error_set_memory(err);
	if (attached_volume_find(volumes, volume) != NULL)
		return 0;
	wanted = is_wanted(client, volume, err);
	if (wanted > 0 && json_array_append(volumes, volume) < 0)
		return error_set_memory(err);
	return wanted < 0 ? -1 : 0;
}

int
attached_volumes_add(struct incus_client *client, const json_t *about,
    const json_t *project, json_t *volumes, struct error *err)
{
	const char *own = json_text(about, "project");
	const char *holder = project_holder(
	    project, own != NULL ? own : "default", "features.storage.volumes");
	const char *name;
	const json_t *device;

	json_object_foreach(
	    (json_t *)(uintptr_t)json_object_get(about, "expanded_devices"),
	    name, device)
	{
		if (is_elsewhere(device) && json_text(device, "pool") != NULL &&
		    json_text(device, "source") != NULL &&
		    add(client, holder, device, volumes, err) < 0)
			return -1;
	}
	return 0;
}

/* A file or directory in one that is known. */
static bool
is_plain_name(const char *name)
{
	return name != NULL && *name != '\0' && *name != '.' &&
	       strchr(name, '/') == NULL;
}

static bool
is_there(const char *path)
{
	struct stat found;

	return stat(path, &found) == 0 && S_ISREG(found.st_mode);
}

char *
attached_volume_archive(
    const json_t *volume, const char *instance_archive, struct error *err)
{
	const char *name = json_text(volume, "archive");
	const char *project = json_text(volume, "project");
	const char *slash = strrchr(instance_archive, '/');
	auto_free char *directory =
	    slash != NULL ? text_copy(instance_archive,
				(size_t)(slash - instance_archive), err)
			  : text_copy(".", 1, err);
	auto_free char *beside = NULL;
	auto_free char *below = NULL;

	if (directory == NULL || !is_plain_name(name) ||
	    !is_plain_name(project))
		return NULL;
	beside = text_format(err, "%s/%s", directory, name);
	below = text_format(err, "%s/../%s/%s", directory, project, name);
	if (beside == NULL || below == NULL)
		return NULL;
	if (is_there(beside))
		return steal(beside);
	return is_there(below) ? steal(below) : NULL;
}

/* Whether an archive holds the volume of this device. */
static bool
is_held(const json_t *device, const json_t *volumes)
{
	const char *pool = json_text(device, "pool");
	const char *source = json_text(device, "source");
	const json_t *one;
	size_t i;

	if (pool == NULL || source == NULL)
		return false;
	json_array_foreach(volumes, i, one)
	{
		const char *name = json_text(one, "name");

		if (strcmp(json_text(one, "pool"), pool) == 0 &&
		    strlen(name) == volume_length(source) &&
		    strncmp(name, source, strlen(name)) == 0)
			return json_text(one, "sha256") != NULL;
	}
	return false;
}

json_t *
attached_left_out(const json_t *about, const json_t *volumes)
{
	json_t *left_out = json_array();
	const char *name;
	const json_t *device;

	json_object_foreach(
	    (json_t *)(uintptr_t)json_object_get(about, "expanded_devices"),
	    name, device)
	{
		const char *source = json_text(device, "source");
		const char *pool = json_text(device, "pool");

		if (!is_elsewhere(device) || is_held(device, volumes))
			continue;
		(void)json_array_append_new(left_out,
		    json_pack("{s:s, s:s, s:s, s:s*}", "device", name, "kind",
			pool != NULL ? N_("volume") : N_("host path"), "source",
			source != NULL ? source : "", "pool", pool));
	}
	return left_out;
}
