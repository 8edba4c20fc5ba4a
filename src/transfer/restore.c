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
#include "transfer/backup_word.h"
#include "transfer/identity.h"
#include "transfer/restore_guard.h"
#include "transfer/restore_run.h"
#include "transfer/snapshot_expiry.h"
#include "transfer/verbose.h"
#include "transfer/watch.h"

static void
restore_clear(struct restore *restore)
{
	backup_source_clear(&restore->source);
	instance_ref_clear(&restore->target);
	free(restore->pool);
	free(restore->text);
	json_decref(restore->volumes);
	create_missing_clear(&restore->missing);
	json_decref(restore->replaced);
	incus_client_free(restore->client);
	free(restore->found);
}

void
restore_result_clear(struct restore_result *result)
{
	free(result->project);
	free(result->pool);
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

/* In the midst of an upload, whose client is busy. */
static int
make_profiles(struct restore *restore, struct error *err)
{
	auto_client struct incus_client *client = NULL;

	if (json_array_size(restore->missing.profiles) == 0)
		return 0;
	client = incus_client_open(restore->request->timeout_s, err);
	if (client == NULL)
		return -1;
	return create_missing_make_profiles(
	    &restore->missing, client, restore->watch, err);
}

/* The last question before the last chunk, and what the daemon needs then. */
static int
check_whole(void *data, struct error *err)
{
	struct restore *restore = data;

	if (backup_source_check(&restore->source, restore->presumed, err) < 0)
		return -1;
	if (restore->request->sha256 != NULL &&
	    strcmp(restore->request->sha256, restore->source.digest.sha256) !=
		0)
		return error_set(err, ERROR_DAMAGED,
		    _("it is not the archive that the instance's manifest "
		      "names"));
	return make_profiles(restore, err);
}

static int
import(struct restore *restore, struct stream *data, struct error *err)
{
	struct import_request request = {
	    .project = restore->target.project,
	    .name = restore->name.replacement.exists
			? restore->name.replacement.beside
			: restore->target.name,
	    .pool = restore->request->storage,
	};
	int result;

	watch_start(
	    restore->watch, restore->target.name, restore->source.size_bytes);
	result = incus_backup_import(restore->client, &request, data, err);
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
	bool replaces = restore->name.replacement.exists;
	struct instance_ref fresh = {target->project,
	    replaces ? restore->name.replacement.beside : target->name};
	int result = restore_guard_instance(
	    restore->client, &fresh, &restore->leave, err);
	if (result == 0 && restore->name.new_identity)
		result = identity_renew(restore->client, &fresh, err);
	if (result == 0)
		result = snapshot_expiry_restore(restore->client, &fresh,
		    &restore->source.index, restore->watch, err);
	if (result == 0)
		result = interrupt_check(err);
	if (result == 0 && replaces)
		result = replacement_swap(
		    restore->client, target, &restore->name.replacement, err);
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
	const struct replacement *replacement = &restore->name.replacement;

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
work_on_volume(struct restore *restore, struct stream *data, struct error *err)
{
	int result;

	watch_start(
	    restore->watch, restore->target.name, restore->source.size_bytes);
	result = restore_volume_import(restore, data, err);
	watch_stop(restore->watch);
	return result;
}

/* A failure leaves nothing of it but volumes, which are whole. */
static int
work(struct restore *restore, struct stream *data, struct error *err)
{
	int result = create_missing_make_project(
	    &restore->missing, restore->client, restore->watch, err);

	if (result == 0)
		result = restore_volumes(restore, err);
	if (result == 0 && restore->pool != NULL)
		result = work_on_volume(restore, data, err);
	else if (result == 0)
		result =
		    import(restore, data, err) == 0 ? settle(restore, err) : -1;
	if (result < 0)
		create_missing_undo(&restore->missing, restore->client, err);
	return result;
}

static int
say_what_would_be(struct restore *restore, struct error *err)
{
	create_missing_note(&restore->missing, restore->watch);
	if (restore_volumes(restore, err) < 0)
		return -1;
	if (restore->name.new_identity)
		watch_note(restore->watch, "%s",
		    _("would get new MAC addresses and a new UUID"));
	watch_note(restore->watch, _("would restore '%s' as '%s/%s'"),
	    restore->file, restore->target.project, restore->text);
	return 0;
}

/* The archive, as far as its index; nothing has been asked of the daemon. */
static struct stream *
open_archive(struct restore *restore, struct error *err)
{
	struct stream *data;

	if (signature_demand_check(&restore->request->signature, err) < 0 ||
	    choose_file(restore, err) < 0)
		return NULL;
	restore->client = incus_client_open(restore->request->timeout_s, err);
	if (restore->client == NULL)
		return NULL;
	verbose_daemon(restore->watch, restore->client);
	data = backup_source_open(
	    &restore->source, restore->file, restore->watch, err);
	if (data != NULL && check_signature(restore, err) < 0)
		data = stream_refuse(data);
	return data;
}

static int
look(struct restore *restore, struct error *err)
{
	struct backup_subject subject;

	if (backup_index_is_volume(&restore->source.index)) {
		if (restore_volume_look(restore, err) < 0)
			return -1;
		subject = restore_volume_subject(restore);
	} else {
		if (restore_look(restore, err) < 0)
			return -1;
		subject = backup_subject_of(&restore->target);
	}
	restore->text = backup_subject_text(&subject, err);
	return restore->text != NULL ? 0 : -1;
}

static int
run(struct restore *restore, struct restore_result *result, struct error *err)
{
	auto_stream struct stream *data = open_archive(restore, err);

	if (data == NULL || look(restore, err) < 0)
		return -1;
	watch_detail(restore->watch, _("goes to '%s/%s'"),
	    restore->target.project, restore->text);
	if (restore->request->dry_run) {
		if (say_what_would_be(restore, err) < 0)
			return -1;
	} else {
		data = gate_new(steal(data), check_whole, restore, err);
		if (data == NULL || work(restore, data, err) < 0 ||
		    (restore->pool == NULL &&
			finish(restore, &result->started, err) < 0))
			return -1;
		(void)provenance_origin(&restore->source.provenance,
		    &restore->source.digest, result->origin);
	}
	result->project = steal(restore->target.project);
	result->pool = steal(restore->pool);
	result->name = steal(restore->target.name);
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
	bool volume = backup_index_is_volume(&restore->source.index);
	struct audited_place from = {
	    .path = restore->file != NULL ? restore->file : request->backup};
	struct audited_place to = {
	    .project = project != NULL ? project : request->project,
	    .volume = volume ? restore->text : NULL,
	};

	if (!volume)
		to.instance = name != NULL ? name : request->name;

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
