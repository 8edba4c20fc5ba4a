#include "transfer/drill_clone.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/wait.h"
#include "incus/client.h"
#include "incus/exec.h"
#include "incus/instance_state.h"
#include "incus/scratch_project.h"
#include "stream/backup_index.h"
#include "transfer/host_keys.h"

/* The instance's own key that names a command (docs/formats.md). */
#define COMMAND_KEY "user.anklume.drill"

/* A clone that goes wild must not take the host with it; what the instance
 * sets itself counts. */
#define LIMIT_MEMORY "2GiB"
#define LIMIT_PROCESSES "10000"

/* How often its state is looked at, and its command tried. */
#define LOOK_MS 1000

void
drill_clone_clear(struct drill_clone *clone)
{
	instance_ref_clear(&clone->instance);
	json_decref(clone->without);
	free(clone->command);
}

/* Keys that would start or keep the clone in spite of us, and those that reach
 * for the host: an archive's instance runs here, whoever has made it. */
static bool
is_dropped(const char *key)
{
	return host_keys_has(key) || text_starts_with(key, "boot.") ||
	       text_starts_with(key, "security.protection.") ||
	       text_starts_with(key, "snapshots.");
}

static int
note_without(struct drill_clone *clone, const char *kind, const char *name,
    struct error *err)
{
	auto_free char *text = text_format(err, "%s %s", kind, name);

	if (text == NULL)
		return -1;
	return json_array_append_new(
		   clone->without, json_string_escaped(text)) < 0
		   ? error_set_memory(err)
		   : 0;
}

/* What a profile of the archive sets, but for what is dropped. */
static json_t *
kept_config(struct drill_clone *clone, const json_t *config, struct error *err)
{
	json_t *kept = json_object();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)config, key, value)
	{
		int status = 0;

		if (!json_is_string(value))
			continue;
		if (host_keys_has(key))
			status = note_without(clone, "key", key, err);
		else if (!is_dropped(key) &&
			 json_object_set(kept, key, value) < 0)
			status = error_set_memory(err);
		if (status == 0)
			continue;
		json_decref(kept);
		return NULL;
	}
	return kept;
}

static int
note_devices(
    struct drill_clone *clone, const json_t *devices, struct error *err)
{
	const char *name;
	json_t *device;

	json_object_foreach((json_t *)(uintptr_t)devices, name, device)
	{
		const char *path = json_text(device, "path");

		if (path != NULL && strcmp(path, "/") == 0)
			continue;
		if (note_without(clone, "device", name, err) < 0)
			return -1;
	}
	return 0;
}

/* The archive's own definition of a profile; NULL where it has none. */
static const json_t *
definition_of(const struct backup_index *index, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(index->profile_definitions, i, one)
	{
		const char *defined = json_text(one, "name");

		if (defined != NULL && strcmp(defined, name) == 0)
			return one;
	}
	return NULL;
}

static int
add_profiles(struct drill_clone *clone, const struct backup_index *index,
    struct error *err)
{
	const json_t *one;
	size_t i;

	json_array_foreach(index->profiles, i, one)
	{
		const char *name = json_string_value(one);
		const json_t *profile =
		    name != NULL ? definition_of(index, name) : NULL;
		auto_json json_t *config = NULL;

		if (name == NULL)
			continue;
		config =
		    kept_config(clone, json_object_get(profile, "config"), err);
		if (config == NULL ||
		    note_devices(
			clone, json_object_get(profile, "devices"), err) < 0 ||
		    scratch_project_add_profile(clone->client,
			clone->instance.project, name, config, err) < 0)
			return -1;
	}
	return 0;
}

/* Volumes must be there when the daemon makes the instance; these are empty,
 * and detached before it starts. */
static int
add_volumes(struct drill_clone *clone, const struct backup_index *index,
    struct error *err)
{
	const char *name;
	json_t *device;

	json_object_foreach((json_t *)(uintptr_t)index->devices, name, device)
	{
		const char *path = json_text(device, "path");
		const char *pool = json_text(device, "pool");
		const char *source = json_text(device, "source");
		auto_free char *volume = NULL;

		if (pool == NULL || source == NULL ||
		    (path != NULL && strcmp(path, "/") == 0))
			continue;
		volume = text_copy(source, strcspn(source, "/"), err);
		if (volume == NULL ||
		    scratch_project_add_volume(clone->client,
			clone->instance.project, pool, volume,
			path != NULL ? "filesystem" : "block", err) < 0)
			return -1;
	}
	return 0;
}

int
drill_clone_prepare(struct drill_clone *clone, const struct backup_index *index,
    struct error *err)
{
	const char *command = json_text(index->config, COMMAND_KEY);

	clone->without = json_array();
	if (clone->without == NULL)
		return error_set_memory(err);
	if (command != NULL) {
		clone->command = text_copy(command, strlen(command), err);
		if (clone->command == NULL)
			return -1;
	}
	if (scratch_project_make(clone->client, clone->instance.project,
		"a backup is tested here; taken away when it is over",
		clone->pool, err) < 0 ||
	    add_profiles(clone, index, err) < 0)
		return -1;
	return add_volumes(clone, index, err);
}

static int
strip_config(struct drill_clone *clone, json_t *config, struct error *err)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(config, next, key, value)
	{
		if (!is_dropped(key))
			continue;
		if (host_keys_has(key) &&
		    note_without(clone, "key", key, err) < 0)
			return -1;
		(void)json_object_del(config, key);
	}
	if (json_object_get(config, "limits.memory") == NULL)
		(void)json_object_set_new(
		    config, "limits.memory", json_string(LIMIT_MEMORY));
	if (json_object_get(config, "limits.processes") == NULL)
		(void)json_object_set_new(
		    config, "limits.processes", json_string(LIMIT_PROCESSES));
	return 0;
}

static bool
is_root_disk(const json_t *device)
{
	const char *type = json_text(device, "type");
	const char *path = json_text(device, "path");

	return type != NULL && strcmp(type, "disk") == 0 && path != NULL &&
	       strcmp(path, "/") == 0;
}

static int
strip_devices(struct drill_clone *clone, json_t *devices, struct error *err)
{
	const char *name;
	json_t *device;
	void *next;

	json_object_foreach_safe(devices, next, name, device)
	{
		if (is_root_disk(device))
			continue;
		if (note_without(clone, "device", name, err) < 0)
			return -1;
		(void)json_object_del(devices, name);
	}
	return 0;
}

/* Not what was asked of the daemon counts, but what it has made of it. */
static int
check_stripped(struct drill_clone *clone, struct error *err)
{
	auto_json json_t *object = NULL;
	const char *name;
	const json_t *value;

	if (incus_instance_get(clone->client, &clone->instance, &object, err) <
	    0)
		return -1;
	json_object_foreach(
	    json_object_get(object, "expanded_devices"), name, value)
	{
		if (!is_root_disk(value))
			return error_set(err, ERROR_DRILL,
			    _("the clone still has the device '%s': it is not "
			      "started"),
			    name);
	}
	json_object_foreach(
	    json_object_get(object, "expanded_config"), name, value)
	{
		if (is_dropped(name))
			return error_set(err, ERROR_DRILL,
			    _("the clone still has the key '%s': it is not "
			      "started"),
			    name);
	}
	return 0;
}

int
drill_clone_strip(struct drill_clone *clone, struct error *err)
{
	auto_json json_t *object = NULL;

	if (incus_instance_get(clone->client, &clone->instance, &object, err) <
		0 ||
	    strip_config(clone, json_object_get(object, "config"), err) < 0 ||
	    strip_devices(clone, json_object_get(object, "devices"), err) < 0 ||
	    incus_instance_put(clone->client, &clone->instance, object, err) <
		0)
		return -1;
	return check_stripped(clone, err);
}

static int
check_runs(struct drill_clone *clone, struct error *err)
{
	auto_json json_t *object = NULL;
	const char *status;

	if (incus_instance_get(clone->client, &clone->instance, &object, err) <
	    0)
		return -1;
	status = json_text(object, "status");
	if (status != NULL && strcmp(status, "Running") == 0)
		return 0;
	return error_set(err, ERROR_DRILL,
	    _("the clone started and does not run any more (%s)"),
	    status != NULL ? status : "?");
}

static int
wait_running(struct drill_clone *clone, struct error *err)
{
	int64_t end_ms = clock_now_ms() + (int64_t)DRILL_RUN_S * 1000;

	do {
		if (check_runs(clone, err) < 0)
			return -1;
		if (wait_ready(-1, 0, LOOK_MS, err) < 0)
			return -1;
	} while (clock_left_ms(end_ms) > 0);
	return check_runs(clone, err);
}

static int
refuse_health(
    const struct drill_clone *clone, int last_status, struct error *err)
{
	if (last_status < 0)
		return error_set(err, ERROR_DRILL,
		    _("'%s' did not end within %d s"), clone->command,
		    clone->timeout_s);
	return error_set(err, ERROR_DRILL,
	    _("'%s' did not succeed within %d s: exit status %d"),
	    clone->command, clone->timeout_s, last_status);
}

static int
wait_healthy(struct drill_clone *clone, struct error *err)
{
	int64_t end_ms = clock_now_ms() + (int64_t)clone->timeout_s * 1000;
	int last_status = -1;

	for (;;) {
		int status = -1;

		if (check_runs(clone, err) < 0 ||
		    incus_exec(clone->client, &clone->instance, clone->command,
			end_ms, &status, err) < 0)
			return -1;
		if (status == 0)
			return 0;
		if (status > 0)
			last_status = status;
		if (clock_left_ms(end_ms) == 0)
			return refuse_health(clone, last_status, err);
		if (wait_ready(-1, 0, LOOK_MS, err) < 0)
			return -1;
	}
}

int
drill_clone_prove(struct drill_clone *clone, struct error *err)
{
	if (incus_instance_start(clone->client, &clone->instance, err) < 0) {
		if (err->code == ERROR_FAILED)
			err->code = ERROR_DRILL;
		return error_prefix(err, _("the clone does not start"));
	}
	return clone->command != NULL ? wait_healthy(clone, err)
				      : wait_running(clone, err);
}
