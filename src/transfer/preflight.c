#include "transfer/preflight.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/project.h"
#include "stream/backup_index.h"
#include "transfer/create_missing.h"
#include "transfer/watch.h"

/* The daemon is asked about so many things that an archive names; no instance
 * has as many profiles and devices. */
#define QUESTIONS_MAX 256

/* The list of what is missing, for one message. */
struct preflight {
	struct incus_client *client;
	const struct backup_index *index;
	const struct preflight_request *request;
	json_t *project;      /* api.Project */
	struct error missing; /* its hint collects the commands */
	size_t questions;
	bool can_create; /* some of it: a project, a profile of the archive's */
	char list[ERROR_TEXT_BYTES];
};

/* Returns whether a command may be suggested: not for what would be taken for
 * an option. */
static bool
note_missing(struct preflight *p, const char *kind, const char *name)
{
	size_t used = strlen(p->list);
	char escaped[256];

	(void)snprintf(p->list + used, sizeof(p->list) - used, "%s%s '%s'",
	    used > 0 ? ", " : "", kind,
	    text_escape(escaped, sizeof(escaped), name, strlen(name)));
	return *name != '-';
}

static int
count_question(struct preflight *p, struct error *err)
{
	if (++p->questions <= QUESTIONS_MAX)
		return 0;
	return error_set(err, ERROR_DAMAGED,
	    _("the archive names more than %d profiles, networks and volumes"),
	    QUESTIONS_MAX);
}

/* As create_missing_make_project() makes it. */
static void
hint_project(struct preflight *p)
{
	error_hint_command(&p->missing, "incus", "project", "create",
	    p->request->project, "-c", "features.images=false", "-c",
	    "features.profiles=false", p->request->own_volumes ? NULL : "-c",
	    "features.storage.volumes=false", NULL);
}

static int
check_project(struct preflight *p, struct error *err)
{
	int found =
	    incus_project_get(p->client, p->request->project, &p->project, err);

	if (found != 0)
		return found < 0 ? -1 : 0;
	if (p->request->missing != NULL)
		return create_missing_project(
		    p->request->missing, p->request->project, err);
	p->can_create = true;
	if (note_missing(p, _("project"), p->request->project))
		hint_project(p);
	return 0;
}

static int
check_pool(struct preflight *p, struct error *err)
{
	const char *pool =
	    p->request->storage != NULL ? p->request->storage : p->index->pool;
	int exists = incus_pool_exists(p->client, pool, err);
	auto_free char *driver = NULL;

	if (exists < 0)
		return -1;
	if (exists == 0) {
		if (note_missing(p, _("pool"), pool))
			error_hint_command(&p->missing, "incus", "storage",
			    "create", pool, "dir", NULL);
		if (p->request->storage == NULL)
			error_hint(&p->missing,
			    _("--storage POOL chooses one that is there: incus "
			      "storage list"));
		return 0;
	}
	if (!p->index->optimized)
		return 0;
	driver = incus_pool_driver(p->client, pool, err);
	if (driver == NULL)
		return -1;
	if (strcmp(driver, p->index->driver) != 0)
		return error_set(err, ERROR_EXISTS,
		    _("the archive is optimized for '%s' and cannot go to the "
		      "pool '%s' of driver '%s'"),
		    p->index->driver, pool, driver);
	return 0;
}

/* Whoever may make it is told; the others are what is missing. */
static int
miss_profile(struct preflight *p, const char *holder, const char *name,
    struct error *err)
{
	bool described = create_missing_describes(p->index, name);

	if (described && p->request->missing != NULL)
		return create_missing_profile(
		    p->request->missing, holder, p->index, name, err);
	p->can_create |= described;
	if (note_missing(p, _("profile"), name))
		error_hint_command(&p->missing, "incus", "profile", "create",
		    name, "--project", holder, NULL);
	return 0;
}

static int
check_profiles(struct preflight *p, struct error *err)
{
	const char *holder = project_holder(
	    p->project, p->request->project, "features.profiles");
	const json_t *one;
	size_t i;

	json_array_foreach(p->index->profiles, i, one)
	{
		const char *name = json_string_value(one);
		int exists;

		if (name == NULL)
			continue;
		exists = count_question(p, err);
		if (exists == 0)
			exists =
			    incus_profile_exists(p->client, holder, name, err);
		if (exists < 0 ||
		    (exists == 0 && miss_profile(p, holder, name, err) < 0))
			return -1;
	}
	return 0;
}

static int
check_nic(struct preflight *p, const json_t *device, struct error *err)
{
	const char *network = json_text(device, "network");
	const char *holder = project_holder(
	    p->project, p->request->project, "features.networks");
	int exists;

	if (network == NULL)
		return 0;
	if (count_question(p, err) < 0)
		return -1;
	exists = incus_network_exists(p->client, holder, network, err);
	if (exists != 0)
		return exists < 0 ? -1 : 0;
	if (note_missing(p, _("network"), network))
		error_hint_command(&p->missing, "incus", "network", "create",
		    network, "--project", holder, NULL);
	return 0;
}

/* Restored before the instance. */
static bool
is_coming(const struct preflight *p, const char *pool, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(p->request->coming, i, one)
	{
		if (strcmp(json_text(one, "pool"), pool) == 0 &&
		    strcmp(json_text(one, "name"), name) == 0)
			return true;
	}
	return false;
}

static int
check_disk(struct preflight *p, const json_t *device, struct error *err)
{
	const char *path = json_text(device, "path");
	const char *pool = json_text(device, "pool");
	const char *source = json_text(device, "source");
	const char *holder = project_holder(
	    p->project, p->request->project, "features.storage.volumes");
	auto_free char *volume = NULL;
	int exists;

	if (pool == NULL || source == NULL ||
	    (path != NULL && strcmp(path, "/") == 0))
		return 0;
	if (count_question(p, err) < 0)
		return -1;
	/* "VOLUME/sub/path" attaches a part of it. */
	volume = text_copy(source, strcspn(source, "/"), err);
	if (volume == NULL)
		return -1;
	if (is_coming(p, pool, volume))
		return 0;
	exists = incus_volume_exists(p->client, holder, pool, volume, err);
	if (exists != 0)
		return exists < 0 ? -1 : 0;
	if (note_missing(p, _("volume"), volume) && *pool != '-')
		error_hint_command(&p->missing, "incus", "storage", "volume",
		    "create", pool, volume, "--project", holder, NULL);
	return 0;
}

static int
check_devices(struct preflight *p, struct error *err)
{
	const char *name;
	json_t *device;

	json_object_foreach(
	    (json_t *)(uintptr_t)p->index->devices, name, device)
	{
		const char *type = json_text(device, "type");

		if (type == NULL)
			continue;
		if (strcmp(type, "nic") == 0 && check_nic(p, device, err) < 0)
			return -1;
		if (strcmp(type, "disk") == 0 && check_disk(p, device, err) < 0)
			return -1;
	}
	return 0;
}

static int
report(struct preflight *p, struct error *err)
{
	if (p->list[0] == '\0')
		return 0;
	error_set(
	    err, ERROR_NOT_FOUND, _("what it needs is missing: %s"), p->list);
	memcpy(err->hint, p->missing.hint, sizeof(err->hint));
	if (p->can_create)
		error_hint(err,
		    _("--create-missing makes the project and the profiles"));
	return -1;
}

/* The pools of the volumes that are restored before it. */
static int
check_coming(struct preflight *p, struct error *err)
{
	const json_t *one;
	size_t i;

	json_array_foreach(p->request->coming, i, one)
	{
		const char *pool = json_text(one, "pool");
		int exists = count_question(p, err);

		if (exists == 0)
			exists = incus_pool_exists(p->client, pool, err);
		if (exists < 0)
			return -1;
		if (exists == 0 && note_missing(p, _("pool"), pool))
			error_hint_command(&p->missing, "incus", "storage",
			    "create", pool, "dir", NULL);
	}
	return 0;
}

int
preflight_check(struct incus_client *client, const struct backup_index *index,
    const struct preflight_request *request, struct error *err)
{
	struct preflight p = {
	    .client = client, .index = index, .request = request};
	int result = check_project(&p, err);

	if (result == 0)
		result = check_pool(&p, err);
	if (result == 0)
		result = check_profiles(&p, err);
	if (result == 0)
		result = check_devices(&p, err);
	if (result == 0)
		result = check_coming(&p, err);
	if (result == 0)
		result = report(&p, err);
	json_decref(p.project);
	return result;
}

int
preflight_check_kind(struct incus_client *client,
    const struct backup_index *index, struct error *err)
{
	int runs = incus_client_runs_type(client, index->type, err);

	if (runs == 0)
		return error_set(err, ERROR_EXISTS,
		    _("this Incus runs no instance of type '%s'"), index->type);
	if (runs < 0 || *index->architecture == '\0')
		return runs < 0 ? -1 : 0;
	runs = incus_client_runs_architecture(client, index->architecture, err);
	if (runs == 0)
		return error_set(err, ERROR_EXISTS,
		    _("this machine runs no instance of architecture '%s'"),
		    index->architecture);
	return runs < 0 ? -1 : 0;
}

int
preflight_check_space(struct incus_client *client,
    const struct backup_index *index, const struct preflight_request *request,
    const struct watch *watch, struct error *err)
{
	const char *pool =
	    request->storage != NULL ? request->storage : index->pool;
	char needed[TEXT_SIZE_BYTES];
	char there[TEXT_SIZE_BYTES];
	uint64_t free_bytes = 0;
	struct error failure = {0};
	int known = incus_pool_free(client, pool, &free_bytes, &failure);

	if (known < 0 && failure.code != ERROR_NOT_FOUND) {
		*err = failure;
		return -1;
	}
	if (known <= 0 || request->tar_size_bytes <= free_bytes)
		return 0;
	error_set(&failure, ERROR_NO_SPACE,
	    _("the pool '%s' has %s free, and the backup unpacks to %s"), pool,
	    text_show_size(there, free_bytes),
	    text_show_size(needed, request->tar_size_bytes));
	if (strcmp(index->type, "container") != 0) {
		watch_note(watch, "%s", failure.text);
		return 0;
	}
	*err = failure;
	return error_hint(
	    err, _("--storage POOL chooses one that is there: incus "
		   "storage list"));
}
