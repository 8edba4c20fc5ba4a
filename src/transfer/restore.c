#include "transfer/restore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "incus/backup.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "incus/instance_state.h"
#include "stream/gate.h"
#include "stream/stream.h"
#include "transfer/audited_run.h"
#include "transfer/backup_source.h"
#include "transfer/backup_word.h"
#include "transfer/host_keys.h"
#include "transfer/identity.h"
#include "transfer/location.h"
#include "transfer/preflight.h"
#include "transfer/replacement.h"
#include "transfer/restore_guard.h"
#include "transfer/restore_target.h"
#include "transfer/self.h"
#include "transfer/verbose.h"
#include "transfer/watch.h"

/* One restore: what was asked, and what is known of the archive. */
struct restore {
	const struct restore_request *request;
	const struct watch *watch;
	struct incus_client *client;
	char *found;	  /* the path, where `backup` named it */
	const char *file; /* that, or the request's own */
	struct backup_source source;
	bool presumed; /* something was taken from the record */

	struct instance_ref target;
	struct replacement replacement;
	bool new_identity;

	struct host_keys_leave leave;
	json_t *replaced; /* api.Instance; what it has may be had again */
};

static void
restore_clear(struct restore *restore)
{
	backup_source_clear(&restore->source);
	instance_ref_clear(&restore->target);
	json_decref(restore->replaced);
	incus_client_free(restore->client);
	free(restore->found);
}

void
restore_result_clear(struct restore_result *result)
{
	free(result->project);
	free(result->name);
	*result = (struct restore_result){0};
}

static int
choose_file(struct restore *restore, struct error *err)
{
	const struct restore_request *request = restore->request;
	struct backup_search search = {
	    .from = request->from, .project = request->project};

	restore->file = request->file;
	if (request->file != NULL)
		return 0;
	if (backup_word_find(request->backup, &search, restore->watch,
		&restore->found, err) < 0)
		return -1;
	restore->file = restore->found;
	watch_detail(restore->watch, _("reads '%s'"), restore->file);
	return 0;
}

/* What is said of the archive beside it. */
static int
check_signature(struct restore *restore, struct error *err)
{
	struct provenance *provenance = &restore->source.provenance;
	const struct openpgp_verdict *signature = &provenance->signature;

	if (provenance_demand(provenance, restore->file,
		&restore->request->signature, err) < 0)
		return -1;
	if (signature->good)
		watch_note(restore->watch, _("'%s' is signed by %s"),
		    restore->file, signature->fingerprint);
	else if (provenance->has_signature)
		watch_note(restore->watch,
		    _("the signature of '%s' does not count: %s"),
		    restore->file, _(signature->problem));
	return 0;
}

/* The holder of the target's name may be replaced, or not. */
static int
check_holder(struct restore *restore, struct error *err)
{
	const struct instance_ref *target = &restore->target;

	if (restore->request->force) {
		if (replacement_prepare(restore->client, target,
			&restore->replacement, err) < 0)
			return -1;
		if (restore->replacement.running &&
		    self_is(restore->client, target))
			return error_set(err, ERROR_EXISTS,
			    _("anklume runs in '%s/%s': it does not replace "
			      "itself"),
			    target->project, target->name);
		if (!restore->replacement.exists || restore->request->dry_run)
			return 0;
		return replacement_confirm(target, restore->watch, err);
	}
	error_set(err, ERROR_EXISTS, _("'%s/%s' exists already"),
	    target->project, target->name);
	return error_hint(err,
	    _("--name gives the restored one another name, --force replaces "
	      "it"));
}

/* Somebody else who has the name that the archive's instance had: a namesake,
 * or the instance itself. */
static int
check_twin(struct restore *restore, const struct instance_ref *one, bool *twin,
    struct error *err)
{
	int shared = *twin || restore->request->keep_identity
			 ? 0
			 : identity_is_shared(restore->client, one,
			       restore->source.index.config, err);

	if (shared < 0)
		return -1;
	if (shared > 0) {
		*twin = true;
		watch_note(restore->watch,
		    _("'%s/%s' has the same MAC addresses or UUID: the "
		      "restored one gets new ones"),
		    one->project, one->name);
	}
	return 0;
}

/* Is the name free, or may its holder be replaced? Is there a twin? */
static int
check_name(struct restore *restore, struct error *err)
{
	const struct instance_ref *target = &restore->target;
	auto_instance_names struct instance_names names = {0};
	bool twin = false;
	bool taken = false;

	if (incus_list_names(restore->client, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		const struct instance_ref *one = &names.items[i];
		bool here = strcmp(one->project, target->project) == 0;
		bool same = strcmp(one->name, target->name) == 0;

		if (here && same)
			taken = true;
		else if (strcmp(one->name, restore->source.index.name) == 0 &&
			 check_twin(restore, one, &twin, err) < 0)
			return -1;
		if (!here && same)
			watch_note(restore->watch,
			    _("the project '%s' holds an instance '%s', too"),
			    one->project, one->name);
	}
	restore->new_identity =
	    !restore->request->keep_identity &&
	    (twin || strcmp(target->name, restore->source.index.name) != 0);
	return taken ? check_holder(restore, err) : 0;
}

/* A stranger's archive does not give the host away. Whose it is, is presumed
 * until its digest is known: only what needs to be trusted waits for that. */
static int
check_host_keys(struct restore *restore, struct error *err)
{
	const struct restore_request *request = restore->request;
	struct host_keys_leave *leave = &restore->leave;

	if (restore->replacement.exists &&
	    incus_instance_get(
		restore->client, &restore->target, &restore->replaced, err) < 0)
		return -1;
	*leave = (struct host_keys_leave){
	    .all = request->allow_unsafe,
	    .allowed = request->allowed,
	    .allowed_count = request->allowed_count,
	    .same_as = restore->replaced,
	};
	if (restore_guard_index(&restore->source.index, leave, err) == 0)
		return 0;
	if (err->code != ERROR_UNSAFE ||
	    provenance_entry(&restore->source.provenance) == NULL)
		return error_prefix(
		    err, _("cannot restore '%s'"), restore->file);
	error_clear(err);
	restore->presumed = true;
	leave->all = true;
	return 0;
}

static int
prepare(struct restore *restore, struct error *err)
{
	struct preflight_request request = {
	    .storage = restore->request->storage};

	if (restore_target_choose(restore->request, restore->file,
		&restore->source, &restore->target, &restore->presumed,
		err) < 0)
		return -1;
	request.project = restore->target.project;
	if (preflight_check(
		restore->client, &restore->source.index, &request, err) < 0)
		return error_prefix(
		    err, _("cannot restore '%s'"), restore->file);
	if (check_name(restore, err) < 0)
		return -1;
	return check_host_keys(restore, err);
}

/* The last question before the last chunk. */
static int
check_whole(void *data, struct error *err)
{
	const struct restore *restore = data;

	return backup_source_check(&restore->source, restore->presumed, err);
}

static int
import(struct restore *restore, struct stream *data, struct error *err)
{
	struct import_request request = {
	    .project = restore->target.project,
	    .name = restore->replacement.exists ? restore->replacement.beside
						: restore->target.name,
	    .pool = restore->request->storage,
	};
	int result = incus_backup_import(restore->client, &request, data, err);

	watch_stop(restore->watch);
	if (result < 0)
		return error_prefix(
		    err, _("cannot restore '%s'"), restore->file);
	return 0;
}

/* Give the new instance its identity and its name; a failure takes it away. */
static int
settle(struct restore *restore, struct error *err)
{
	const struct instance_ref *target = &restore->target;
	bool replaces = restore->replacement.exists;
	struct instance_ref fresh = {target->project,
	    replaces ? restore->replacement.beside : target->name};
	int result = restore_guard_instance(
	    restore->client, &fresh, &restore->leave, err);
	if (result == 0 && restore->new_identity)
		result = identity_renew(restore->client, &fresh, err);
	if (result == 0)
		result = interrupt_check(err);
	if (result == 0 && replaces)
		result = replacement_swap(
		    restore->client, target, &restore->replacement, err);
	if (result == 0)
		return 0;
	interrupt_shield_up();
	incus_instance_discard(restore->client, fresh.project, fresh.name, err);
	interrupt_shield_down();
	return -1;
}

/* Start what is to run; the instance that was replaced goes last of all. */
static int
finish(struct restore *restore, bool *ret_started, struct error *err)
{
	const struct instance_ref *target = &restore->target;
	const struct replacement *replacement = &restore->replacement;

	if (restore->request->start || replacement->running) {
		if (incus_instance_start(restore->client, target, err) < 0) {
			error_prefix(err,
			    _("'%s/%s' is restored, but does not start"),
			    target->project, target->name);
			return replacement->exists
				   ? error_hint(err,
					 _("the old instance is still there "
					   "as '%s'"),
					 replacement->aside)
				   : -1;
		}
		*ret_started = true;
	}
	return replacement_delete_old(
	    restore->client, target, replacement, err);
}

static int
run(struct restore *restore, struct restore_result *result, struct error *err)
{
	auto_stream struct stream *data = NULL;

	if (signature_demand_check(&restore->request->signature, err) < 0 ||
	    choose_file(restore, err) < 0)
		return -1;
	restore->client = incus_client_open(restore->request->timeout_s, err);
	if (restore->client == NULL)
		return -1;
	verbose_daemon(restore->watch, restore->client);
	data = backup_source_open(
	    &restore->source, restore->file, restore->watch, err);
	if (data == NULL || check_signature(restore, err) < 0 ||
	    prepare(restore, err) < 0)
		return -1;
	watch_detail(restore->watch, _("goes to '%s/%s'"),
	    restore->target.project, restore->target.name);
	if (restore->request->dry_run) {
		watch_note(restore->watch, _("would restore '%s' as '%s/%s'"),
		    restore->file, restore->target.project,
		    restore->target.name);
	} else {
		data = gate_new(steal(data), check_whole, restore, err);
		if (data == NULL)
			return -1;
		watch_start(restore->watch, restore->target.name,
		    restore->source.size_bytes);
		if (import(restore, data, err) < 0 ||
		    settle(restore, err) < 0 ||
		    finish(restore, &result->started, err) < 0)
			return -1;
	}

	result->project = steal(restore->target.project);
	result->name = steal(restore->target.name);
	if (!restore->request->dry_run)
		(void)provenance_origin(&restore->source.provenance,
		    &restore->source.digest, result->origin);
	return 0;
}

static int
audit(const struct restore *restore, const struct restore_result *result,
    struct audited_run *audited, struct error *err)
{
	const struct restore_request *request = restore->request;
	const struct instance_ref *target = &restore->target;
	const char *project =
	    result->project != NULL ? result->project : target->project;
	const char *name = result->name != NULL ? result->name : target->name;
	struct audited_place from = {
	    .path = restore->file != NULL ? restore->file : request->backup};
	struct audited_place to = {
	    .project = project != NULL ? project : request->project,
	    .instance = name != NULL ? name : request->name,
	};

	audited_run_from(audited, &from);
	audited_run_to(audited, &to);
	audited->done = !error_is_set(err);
	audited->failed = error_is_set(err);
	if (restore->source.digest.complete) {
		audited->size_bytes = restore->source.digest.size_bytes;
		audited->sha256 = restore->source.digest.sha256;
	}
	return audited_run_end(audited, restore->watch, err);
}

int
restore_backup(const struct restore_request *request, const struct watch *watch,
    struct restore_result *ret_result, struct error *err)
{
	struct restore restore = {.request = request, .watch = watch};
	struct restore_result result = {0};
	struct audited_run audited = {
	    .command = "backup restore", .dry_run = request->dry_run};
	int status;

	if (audited_run_begin(&audited, err) == 0)
		(void)run(&restore, &result, err);
	status = audit(&restore, &result, &audited, err);
	restore_clear(&restore);
	if (status == 0)
		*ret_result = result;
	else
		restore_result_clear(&result);
	return status;
}
