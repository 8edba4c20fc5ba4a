#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/instance_state.h"
#include "incus/project.h"
#include "store/archive.h"
#include "store/mount_point.h"
#include "transfer/consistency.h"
#include "transfer/create.h"
#include "transfer/create_run.h"
#include "transfer/location.h"
#include "transfer/previous_backup.h"
#include "transfer/self.h"
#include "transfer/spool_plan.h"
#include "transfer/verbose.h"
#include "transfer/watch.h"

bool
create_is_of_many(const struct create *create)
{
	const struct create_known *known = create->request->known;

	return known != NULL && known->volumes != NULL;
}

int
create_open_client(struct create *create, struct error *err)
{
	create->client = incus_client_open(create->request->timeout_s, err);
	if (create->client == NULL)
		return -1;
	if (create->request->known != NULL)
		incus_client_inherit(
		    create->client, create->request->known->client);
	return 0;
}

static int
find_project(struct create *create, struct error *err)
{
	const struct create_known *known = create->request->known;
	const char *name = create->subject.project;

	if (!create_is_of_many(create))
		return incus_project_get(
			   create->client, name, &create->project, err) < 0
			   ? -1
			   : 0;
	create->project = json_incref(project_in(known->projects, name));
	return 0;
}

static int
find_keys(struct create *create, struct error *err)
{
	if (create->request->known != NULL) {
		create->keys = create->request->known->keys;
		return 0;
	}
	create->keys = &create->own_keys;
	return create_keys_find(create->request, &create->own_keys, err);
}

static int
take_found(struct create *create, struct error *err)
{
	const struct instance_ref *found = create->request->found;

	create->instance = (struct instance_ref){
	    .project = text_copy(found->project, strlen(found->project), err),
	    .name = text_copy(found->name, strlen(found->name), err),
	};
	return error_is_set(err) ? -1 : 0;
}

static int
look_up(struct create *create, struct error *err)
{
	const struct create_request *request = create->request;
	auto_instance_word struct instance_word word = {0};
	auto_instance_names struct instance_names names = {0};

	if (instance_word_parse(request->instance, &word, err) < 0 ||
	    incus_list_names(create->client, &names, err) < 0)
		return -1;
	verbose_daemon(create->watch, create->client);
	if (instance_names_find(&names, word.project, word.name,
		request->project, &create->instance, err) < 0)
		return -1;
	verbose_instance(create->watch, request->instance, &create->instance);
	return 0;
}

static int
find_instance(struct create *create, struct error *err)
{
	const struct create_request *request = create->request;
	auto_instance_word struct instance_word word = {0};

	/* A word that is none needs no daemon. */
	if (request->found == NULL &&
	    instance_word_parse(request->instance, &word, err) < 0)
		return -1;
	if (create_open_client(create, err) < 0)
		return -1;
	if ((request->found != NULL ? take_found(create, err)
				    : look_up(create, err)) < 0 ||
	    incus_instance_get(
		create->client, &create->instance, &create->about, err) < 0)
		return -1;
	create->subject = backup_subject_of(&create->instance);
	create->running = instance_is_running(create->about);
	return 0;
}

static int
find_subject(struct create *create, struct error *err)
{
	const struct backup_subject *subject = &create->subject;

	if ((create->request->volume != NULL ? create_find_volume(create, err)
					     : find_instance(create, err)) < 0)
		return -1;
	create->text = backup_subject_text(subject, err);
	if (create->text == NULL)
		return -1;
	create->stem = backup_stem(subject, err);
	return create->stem != NULL ? 0 : -1;
}

/* Where it goes is there, and holds nothing of that name. */
static int
prepare_output(struct create *create, struct error *err)
{
	const struct create_request *request = create->request;
	int exists;

	if (export_is_to_stdout(request->output))
		return 0;
	if (request->volume == NULL && create->running &&
	    self_is(create->client, &create->instance))
		watch_note(create->watch,
		    _("anklume runs in '%s/%s' itself: the archive lies in "
		      "what it saves"),
		    create->instance.project, create->instance.name);
	if ((request->require_mount != NULL &&
		mount_point_check(request->require_mount, err) < 0) ||
	    archive_check_directory(
		request->output, request->make_output, err) < 0)
		return -1;
	exists = archive_exists(request->output, create->name, err);
	if (exists > 0 && !request->force) {
		error_set(err, ERROR_EXISTS, _("'%s/%s' exists already"),
		    request->output, create->name);
		return error_hint(err, _("--force replaces it"));
	}
	if (exists < 0 || request->dry_run)
		return exists < 0 ? -1 : 0;
	if (archive_make_directory(request->output, err) < 0)
		return -1;
	if (stat(request->output, &create->output) < 0)
		return error_set_errno(
		    err, errno, _("cannot open '%s'"), request->output);
	return 0;
}

static int
check_spool(struct create *create, struct error *err)
{
	struct spool_plan plan;

	if (export_is_to_stdout(create->request->output))
		return 0;
	if (spool_plan_make(create->client, &plan, err) < 0)
		return -1;
	return !plan.limited
		   ? 0
		   : spool_plan_check(&plan,
			 spool_plan_need(create->client,
			     create->request->output, &create->subject),
			 err);
}

/* Whether it may be frozen, where that is asked for. */
static int
check_freeze(struct create *create, struct error *err)
{
	const json_t *about = create->request->volume != NULL
				  ? create->instance_about
				  : create->about;

	if (create->request->consistency != CONSISTENCY_FREEZE ||
	    !instance_is_running(about))
		return 0;
	return consistency_check_self(create->client, &create->instance, err);
}

static int
lock(struct create *create, struct error *err)
{
	const struct create_request *request = create->request;

	if (create_lock_take(create->client, &create->subject,
		export_is_to_stdout(request->output) ? NULL : request->output,
		request->lock_wait_ms, &create->lock, err) < 0)
		return -1;
	if (error_is_set(&create->lock.problem))
		watch_note(create->watch,
		    _("not locked against other runs: %s"),
		    create->lock.problem.text);
	return 0;
}

int
create_prepare(struct create *create, struct error *err)
{
	const struct create_request *request = create->request;

	if (find_keys(create, err) < 0 || find_subject(create, err) < 0 ||
	    find_project(create, err) < 0)
		return -1;
	if (project_check_allows(create->project, create->subject.project,
		"restricted.backups", err) < 0)
		return error_prefix(err, _("cannot back up '%s/%s'"),
		    create->subject.project, create->text);
	if (check_freeze(create, err) < 0)
		return -1;

	create->name = archive_name(create->stem, create->started,
	    request->compression.kind, request->recipient_count > 0, err);
	if (create->name == NULL || prepare_output(create, err) < 0)
		return -1;
	if (request->dry_run)
		return 0;
	/* One of many is let in by whoever sees them all. */
	if (!create_is_of_many(create) && check_spool(create, err) < 0)
		return -1;
	return lock(create, err);
}
