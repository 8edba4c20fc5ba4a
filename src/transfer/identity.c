#include "transfer/identity.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "incus/instance.h"

/* Keys that the daemon fills again when they are missing (incus,
 * internal/server/instance/drivers). */
static bool
is_identity(const char *key)
{
	if (!text_starts_with(key, "volatile."))
		return false;
	return strcmp(key, "volatile.uuid") == 0 ||
	       strcmp(key, "volatile.uuid.generation") == 0 ||
	       strcmp(key, "volatile.cloud-init.instance-id") == 0 ||
	       strcmp(key, "volatile.vsock_id") == 0 ||
	       text_ends_with(key, ".hwaddr");
}

int
identity_renew(struct incus_client *client, const struct instance_ref *instance,
    struct error *err)
{
	auto_json json_t *object = NULL;
	json_t *config;
	const char *key;
	json_t *value;
	void *next;
	bool changed = false;

	if (incus_instance_get(client, instance, &object, err) < 0)
		return -1;
	config = json_object_get(object, "config");
	json_object_foreach_safe(config, next, key, value)
	{
		if (!is_identity(key))
			continue;
		(void)json_object_del(config, key);
		changed = true;
	}
	return changed ? incus_instance_put(client, instance, object, err) : 0;
}

int
identity_is_shared(struct incus_client *client,
    const struct instance_ref *instance, const json_t *config,
    struct error *err)
{
	auto_json json_t *object = NULL;
	const json_t *theirs;
	const char *key;
	json_t *value;

	if (incus_instance_get(client, instance, &object, err) < 0) {
		if (err->code != ERROR_NOT_FOUND)
			return -1;
		error_clear(err);
		return 0;
	}
	theirs = json_object_get(object, "config");
	json_object_foreach((json_t *)(uintptr_t)config, key, value)
	{
		const char *ours = json_string_value(value);
		const char *other = json_text(theirs, key);

		if (is_identity(key) && ours != NULL && *ours != '\0' &&
		    other != NULL && strcmp(ours, other) == 0)
			return 1;
	}
	return 0;
}
