#include "incus/backup_failure.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "base/wait.h"
#include "incus/backup_subject.h"
#include "incus/client.h"

/* The stream ends a moment before its operation does. */
#define PATIENCE_MS 3000
#define LOOK_EVERY_MS 50

/* incus, internal/server/operations/operation_types.go */
#define OF_INSTANCE "Backing up instance"
#define OF_VOLUME "Creating custom volume backup"

/* What is looked for. */
struct wanted {
	const char *description;
	const char *resources; /* the kind of what it is about */
	char *path;	       /* and its address; owned */
};

static bool
is_of(const json_t *operation, const struct wanted *wanted)
{
	const char *description = json_text(operation, "description");
	const json_t *url;
	size_t i;

	if (description == NULL ||
	    strcmp(description, wanted->description) != 0)
		return false;
	json_array_foreach(
	    json_at(operation, "resources", wanted->resources, NULL), i, url)
	{
		const char *text = json_string_value(url);

		/* What follows is the project, which was asked for. */
		if (text != NULL &&
		    strcspn(text, "?") == strlen(wanted->path) &&
		    text_starts_with(text, wanted->path))
			return true;
	}
	return false;
}

/* The latest of a list: RFC 3339 in UTC sorts by itself. */
static const json_t *
latest_in(const json_t *list, const struct wanted *wanted)
{
	const json_t *latest = NULL;
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *created = json_text(one, "created_at");

		if (created == NULL || !is_of(one, wanted))
			continue;
		if (latest == NULL ||
		    strcmp(created, json_text(latest, "created_at")) > 0)
			latest = one;
	}
	return latest;
}

/* The last one's error, when it has failed. Heap, or NULL. */
static char *
look(struct incus_client *client, const char *url, const struct wanted *wanted,
    struct error *err)
{
	int64_t deadline_ms = clock_now_ms() + PATIENCE_MS;

	for (;;) {
		auto_json json_t *operations = NULL;
		const json_t *failed;
		const char *text;

		if (incus_get(client, url, &operations, err) < 0)
			return NULL;
		failed =
		    latest_in(json_object_get(operations, "failure"), wanted);
		text = failed != NULL ? json_text(failed, "err") : NULL;
		if (text != NULL)
			return text_copy(text, strlen(text), err);
		if (latest_in(json_object_get(operations, "running"), wanted) ==
			NULL ||
		    clock_left_ms(deadline_ms) == 0 ||
		    wait_ready(-1, 0, LOOK_EVERY_MS, err) < 0)
			return NULL;
	}
}

char *
incus_backup_failure(struct incus_client *client,
    const struct backup_subject *of, struct error *err)
{
	bool volume = backup_subject_is_volume(of);
	/* Without the project: operations are asked for by it. */
	const struct backup_subject bare = {.pool = of->pool, .name = of->name};
	struct wanted wanted = {
	    .description = volume ? OF_VOLUME : OF_INSTANCE,
	    .resources = volume ? "storage_volumes" : "instances",
	    .path = backup_subject_path(&bare, NULL, NULL, NULL, err),
	};
	auto_free char *list = incus_path(err, of->project, "operations", NULL);
	auto_free char *url =
	    list != NULL ? text_format(err, "%s&recursion=1", list) : NULL;
	char *reason = NULL;

	if (url != NULL && wanted.path != NULL)
		reason = look(client, url, &wanted, err);
	free(wanted.path);
	return reason;
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
