#include "transfer/create.h"

#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/i18n.h"
#include "incus/client.h"
#include "transfer/audited_run.h"
#include "transfer/consistency.h"
#include "transfer/create_run.h"
#include "transfer/watch.h"

static void
create_clear(struct create *create)
{
	create_lock_drop(&create->lock);
	json_decref(create->about);
	json_decref(create->project);
	json_decref(create->instance_about);
	json_decref(create->volumes);
	instance_ref_clear(&create->instance);
	exported_clear(&create->exported);
	incus_client_free(create->client);
	create_keys_clear(&create->own_keys);
	free(create->text);
	free(create->stem);
	free(create->name);
}

void
create_result_clear(struct create_result *result)
{
	free(result->path);
	json_decref(result->manifest);
	*result = (struct create_result){0};
}

/* From the daemon to the archive. */
static int
export_subject(struct create *create, struct error *err)
{
	const struct create_request *request = create->request;
	const struct instance_ref *instance = &create->instance;
	struct export_request export = {
	    .client = create->client,
	    .subject = &create->subject,
	    .recipients = &create->keys->recipients,
	    .compression = &request->compression,
	    .output = request->output,
	    .name = create->name,
	    .bytes_per_s = request->bytes_per_s,
	    .force = request->force,
	    .instance_only = request->instance_only,
	};
	struct consistency consistency = {
	    .instance = instance->name != NULL ? instance : NULL,
	    .how = request->consistency,
	    .freeze_limit_s = request->freeze_limit_s,
	    .timeout_s = request->timeout_s,
	};
	const json_t *about =
	    request->volume != NULL ? create->instance_about : create->about;

	if (consistency_export(&export, &consistency, about, create->watch,
		&create->exported, err) < 0)
		return error_prefix(err, _("cannot back up '%s/%s'"),
		    create->subject.project, create->text);
	return 0;
}

static int
run(struct create *create, struct create_result *result, struct error *err)
{
	const struct create_request *request = create->request;

	if (create_prepare(create, err) < 0 || create_volumes(create, err) < 0)
		return -1;
	if (request->dry_run) {
		watch_note(create->watch, _("would back up '%s/%s' to '%s/%s'"),
		    create->subject.project, create->text, request->output,
		    create->name);
		return 0;
	}
	if (export_subject(create, err) < 0)
		return -1;
	return create_publish(create, result, err);
}

static int
audit(const struct create *create, const struct create_result *result,
    struct audited_run *audited, struct error *err)
{
	const struct create_request *request = create->request;
	struct audited_place from = {.project = create->subject.project};
	struct audited_place to = {
	    .path = result->path != NULL ? result->path : request->output,
	};

	if (request->volume != NULL)
		from.volume = create->text;
	else
		from.instance = create->subject.name != NULL
				    ? create->subject.name
				    : request->instance;
	audited_run_from(audited, &from);
	audited_run_to(audited, &to);
	audited->done = !error_is_set(err);
	audited->failed = error_is_set(err);
	if (!error_is_set(err) || result->path != NULL) {
		audited->size_bytes = create->exported.archive.size_bytes;
		audited->sha256 = create->exported.archive.sha256;
	}
	return audited_run_end(audited, create->watch, err);
}

int
create_backup(const struct create_request *request, const struct watch *watch,
    struct create_result *ret_result, struct error *err)
{
	struct create create = {
	    .request = request, .watch = watch, .started = time(NULL)};
	struct create_result result = {0};
	struct audited_run audited = {
	    .command = "backup create", .dry_run = request->dry_run};
	int status;

	if (audited_run_begin(&audited, err) == 0)
		(void)run(&create, &result, err);
	status = audit(&create, &result, &audited, err);
	create_clear(&create);
	if (status < 0)
		create_result_clear(&result);
	else
		*ret_result = result;
	return status;
}
