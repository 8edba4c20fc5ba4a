#include "incus/instance.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/config_value.h"
#include "incus/operation.h"

void
instance_ref_clear(struct instance_ref *ref)
{
	free(ref->project);
	free(ref->name);
	*ref = (struct instance_ref){0};
}

void
instance_names_clear(struct instance_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		instance_ref_clear(&names->items[i]);
	free(names->items);
	*names = (struct instance_names){0};
}

/* Undo %XX in place. */
static void
percent_decode(char *text)
{
	char *out = text;

	for (; *text != '\0'; text++) {
		char digits[3] = {0};
		char *end;
		unsigned long value;

		if (*text != '%' || text[1] == '\0' || text[2] == '\0') {
			*out++ = *text;
			continue;
		}
		memcpy(digits, text + 1, 2);
		value = strtoul(digits, &end, 16);
		if (*end != '\0')
			value = '?';
		*out++ = (char)(unsigned char)value;
		text += 2;
	}
	*out = '\0';
}

/* "/1.0/instances/NAME[?project=P]"; without a project it is "default". */
int
instance_ref_parse(
    const char *url, struct instance_ref *ret_ref, struct error *err)
{
	static const char key[] = "?project=";
	const char *name = strrchr(url, '/');
	const char *project;

	if (name == NULL)
		return error_set(err, ERROR_FAILED,
		    _("the daemon lists an instance as '%s'"), url);
	name++;
	project = strstr(name, key);

	ret_ref->name = text_copy(name, strcspn(name, "?"), err);
	if (ret_ref->name == NULL)
		return -1;
	if (project == NULL)
		ret_ref->project = text_copy("default", 7, err);
	else
		ret_ref->project = text_copy(project + sizeof(key) - 1,
		    strcspn(project + sizeof(key) - 1, "&"), err);
	if (ret_ref->project == NULL)
		return -1;
	percent_decode(ret_ref->name);
	percent_decode(ret_ref->project);
	return 0;
}

int
incus_list_names(struct incus_client *client, struct instance_names *ret_names,
    struct error *err)
{
	struct instance_names names = {0};
	auto_json json_t *urls = NULL;
	const json_t *url;
	size_t i;

	if (incus_get(client, "/1.0/instances?all-projects=true", &urls, err) <
	    0)
		return -1;
	names.items = calloc(json_array_size(urls) + 1, sizeof(names.items[0]));
	if (names.items == NULL)
		return error_set_memory(err);

	json_array_foreach(urls, i, url)
	{
		const char *text = json_string_value(url);

		if (text == NULL)
			continue;
		if (instance_ref_parse(text, &names.items[names.count++], err) <
		    0) {
			instance_names_clear(&names);
			return -1;
		}
	}
	*ret_names = names;
	return 0;
}

static int
copy_ref(const struct instance_ref *from, struct instance_ref *ret_ref,
    struct error *err)
{
	struct instance_ref copy = {
	    .project = text_copy(from->project, strlen(from->project), err)};

	if (copy.project == NULL)
		return -1;
	copy.name = text_copy(from->name, strlen(from->name), err);
	if (copy.name == NULL) {
		instance_ref_clear(&copy);
		return -1;
	}
	*ret_ref = copy;
	return 0;
}

static bool
holds(const struct instance_ref *item, const char *project, const char *name)
{
	if (strcmp(item->name, name) != 0)
		return false;
	if (project != NULL)
		return strcmp(item->project, project) == 0;
	return !text_starts_with(item->project, INSTANCE_DRILL_PREFIX);
}

static int
not_found(const struct instance_names *names, const char *project,
    const char *name, struct error *err)
{
	if (project == NULL)
		error_set(
		    err, ERROR_NOT_FOUND, _("instance not found: '%s'"), name);
	else
		error_set(err, ERROR_NOT_FOUND,
		    _("instance not found: '%s/%s'"), project, name);

	/* "web/snap0" is how Incus users name a snapshot. */
	for (size_t i = 0; project != NULL && i < names->count; i++) {
		if (strcmp(names->items[i].name, project) != 0)
			continue;
		return error_hint(err,
		    _("'%s' is an instance, not a project; snapshots are not "
		      "named here"),
		    project);
	}
	return error_hint(err, "incus list --all-projects");
}

int
instance_names_find(const struct instance_names *names, const char *project,
    const char *name, const char *preferred, struct instance_ref *ret_ref,
    struct error *err)
{
	const struct instance_ref *found = NULL;
	size_t holders = 0;

	for (size_t i = 0; i < names->count; i++) {
		const struct instance_ref *item = &names->items[i];

		if (!holds(item, project, name))
			continue;
		if (preferred != NULL && strcmp(item->project, preferred) == 0)
			return copy_ref(item, ret_ref, err);
		found = item;
		holders++;
	}
	if (holders == 0)
		return not_found(names, project, name, err);
	if (holders == 1)
		return copy_ref(found, ret_ref, err);

	error_set(err, ERROR_AMBIGUOUS,
	    _("%zu projects hold an instance '%s': say which"), holders, name);
	for (size_t i = 0; i < names->count; i++) {
		struct error ignored = {0};
		auto_free char *whole = NULL;

		if (!holds(&names->items[i], NULL, name))
			continue;
		whole = text_format(
		    &ignored, "%s/%s", names->items[i].project, name);
		error_hint_command(err, whole, NULL);
	}
	return -1;
}

int
incus_instance_list(
    struct incus_client *client, json_t **ret_instances, struct error *err)
{
	json_t *list = NULL;

	if (incus_get(client, "/1.0/instances?all-projects=true&recursion=1",
		&list, err) < 0)
		return -1;
	if (!json_is_array(list)) {
		json_decref(list);
		return error_set(err, ERROR_FAILED,
		    _("the daemon's list of instances is none"));
	}
	*ret_instances = list;
	return 0;
}

int
incus_instance_get(struct incus_client *client, const struct instance_ref *ref,
    json_t **ret_instance, struct error *err)
{
	auto_free char *path =
	    incus_path(err, ref->project, "instances", ref->name, NULL);

	if (path == NULL)
		return -1;
	return incus_get(client, path, ret_instance, err);
}

int
incus_instance_rename(struct incus_client *client,
    const struct instance_ref *ref, const char *name, struct error *err)
{
	auto_free char *path =
	    incus_path(err, ref->project, "instances", ref->name, NULL);

	return operation_run_with(
	    client, "POST", path, json_pack("{s:s}", "name", name), err);
}

int
incus_instance_delete(struct incus_client *client,
    const struct instance_ref *ref, struct error *err)
{
	auto_free char *path =
	    incus_path(err, ref->project, "instances", ref->name, NULL);

	if (path == NULL)
		return -1;
	return operation_run(client, "DELETE", path, NULL, err);
}

int
incus_instance_put(struct incus_client *client, const struct instance_ref *ref,
    const json_t *instance, struct error *err)
{
	/* api.InstancePut (incus, shared/api/instance.go). */
	static const char *const writable[] = {"architecture", "config",
	    "devices", "ephemeral", "profiles", "stateful", "description"};
	auto_free char *path =
	    incus_path(err, ref->project, "instances", ref->name, NULL);
	auto_json json_t *body = json_object();

	if (path == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(writable) / sizeof(writable[0]); i++) {
		json_t *value = json_object_get(instance, writable[i]);

		if (value != NULL && json_object_set(body, writable[i], value))
			return error_set_memory(err);
	}
	return operation_run(client, "PUT", path, body, err);
}

bool
instance_is_protected(const json_t *instance)
{
	return config_is_true(json_object_get(instance, "expanded_config"),
	    "security.protection.delete");
}

static int
unprotect(struct incus_client *client, const struct instance_ref *ref,
    struct error *err)
{
	auto_json json_t *instance = NULL;
	json_t *config;

	if (incus_instance_get(client, ref, &instance, err) < 0)
		return -1;
	if (!instance_is_protected(instance))
		return 0;
	config = json_object_get(instance, "config");
	if (json_object_set_new(
		config, "security.protection.delete", json_string("false")) < 0)
		return error_set_memory(err);
	return incus_instance_put(client, ref, instance, err);
}

void
incus_instance_discard(struct incus_client *client, const char *project,
    const char *name, struct error *err)
{
	struct error why = {0};
	auto_instance_ref struct instance_ref ref = {
	    .project = text_copy(project, strlen(project), &why),
	    .name = text_copy(name, strlen(name), &why)};

	if (ref.project != NULL && ref.name != NULL &&
	    unprotect(client, &ref, &why) == 0 &&
	    incus_instance_delete(client, &ref, &why) == 0)
		return;
	if (why.code != ERROR_NOT_FOUND)
		error_hint(err,
		    _("'%s/%s' was made and could not be deleted "
		      "again: %s"),
		    project, name, why.text);
}
