#include "incus/backup_failure.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "base/wait.h"
#include "incus/client.h"
#include "incus/instance.h"

/* The stream ends a moment before its operation does. */
#define PATIENCE_MS 3000
#define LOOK_EVERY_MS 50

/* incus, internal/server/operations/operation_types.go */
#define DESCRIPTION "Backing up instance"

static bool
is_of(const json_t *operation, const char *instance_path)
{
	const char *description = json_text(operation, "description");
	const json_t *url;
	size_t i;

	if (description == NULL || strcmp(description, DESCRIPTION) != 0)
		return false;
	json_array_foreach(
	    json_at(operation, "resources", "instances", NULL), i, url)
	{
		const char *text = json_string_value(url);

		/* What follows is the project, which was asked for. */
		if (text != NULL &&
		    strcspn(text, "?") == strlen(instance_path) &&
		    text_starts_with(text, instance_path))
			return true;
	}
	return false;
}

/* The latest of a list: RFC 3339 in UTC sorts by itself. */
static const json_t *
latest_in(const json_t *list, const char *instance_path)
{
	const json_t *latest = NULL;
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *created = json_text(one, "created_at");

		if (created == NULL || !is_of(one, instance_path))
			continue;
		if (latest == NULL ||
		    strcmp(created, json_text(latest, "created_at")) > 0)
			latest = one;
	}
	return latest;
}

char *
incus_backup_failure(struct incus_client *client, const struct instance_ref *of,
    struct error *err)
{
	auto_free char *list = incus_path(err, of->project, "operations", NULL);
	auto_free char *url =
	    list != NULL ? text_format(err, "%s&recursion=1", list) : NULL;
	auto_free char *instance_path =
	    incus_path(err, NULL, "instances", of->name, NULL);
	int64_t deadline_ms = clock_now_ms() + PATIENCE_MS;

	while (url != NULL && instance_path != NULL) {
		auto_json json_t *operations = NULL;
		const json_t *failed;
		const char *text;

		if (incus_get(client, url, &operations, err) < 0)
			return NULL;
		failed = latest_in(
		    json_object_get(operations, "failure"), instance_path);
		text = failed != NULL ? json_text(failed, "err") : NULL;
		if (text != NULL)
			return text_copy(text, strlen(text), err);
		if (latest_in(json_object_get(operations, "running"),
			instance_path) == NULL ||
		    clock_left_ms(deadline_ms) == 0 ||
		    wait_ready(-1, 0, LOOK_EVERY_MS, err) < 0)
			return NULL;
	}
	return NULL;
}

bool
backup_failure_is_change(const char *text)
{
	/* Go, archive/tar: a file that was shorter than its header says. */
	if (strstr(text, "archive/tar: missed writing") != NULL ||
	    strstr(text, "archive/tar: write too long") != NULL)
		return true;
	/* One that went away between its listing and its reading (incus,
	 * internal/instancewriter). */
	return strstr(text, "to tarball") != NULL &&
	       strstr(text, "no such file or directory") != NULL;
}
