#include "transfer/reencrypt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/archive.h"
#include "store/manifest.h"
#include "store/proof.h"
#include "store/record.h"
#include "stream/digest.h"
#include "stream/gate.h"
#include "stream/meter.h"
#include "stream/openpgp.h"
#include "stream/peek.h"
#include "stream/stream.h"
#include "transfer/describe.h"
#include "transfer/origin.h"
#include "transfer/watch.h"

/* One run. */
struct run {
	const struct reencrypt_request *request;
	const struct watch *watch;
	struct openpgp_recipients recipients;
};

/* One archive that gets other keys. */
struct change {
	const struct run *run;
	char *path; /* without links: what they lead to is replaced */
	char *directory;
	const char *name; /* in `path` */
	uint64_t size_bytes;
	struct provenance provenance;
	struct digest old;
	struct digest fresh;
	json_t *manifest; /* the new one; NULL: there was none */
};

static void
change_clear(struct change *change)
{
	free(change->path);
	free(change->directory);
	provenance_clear(&change->provenance);
	json_decref(change->manifest);
}

/* What goes into gpg must be what the manifest says, or the new archive would
 * vouch for something else. */
static int
check_old(void *data, struct error *err)
{
	const struct change *change = data;

	return provenance_check(&change->provenance, &change->old, false, err);
}

/* The message inside the archive, in the clear; compressed as it is. */
static struct stream *
open_old(struct change *change, struct error *err)
{
	struct meter_watch meter = watch_meter(change->run->watch);
	struct stream *data =
	    archive_open(change->path, &change->size_bytes, err);
	const unsigned char *head;
	size_t size;

	if (data == NULL)
		return NULL;
	if (provenance_load(
		change->path, change->size_bytes, &change->provenance, err) < 0)
		return stream_refuse(data);
	data = peek_new(
	    digest_new(meter_new(data, &meter, err), &change->old, err), err);
	if (data == NULL)
		return NULL;
	head = peek_bytes(data, &size);
	if (!openpgp_detect(head, size)) {
		error_set(
		    err, ERROR_USAGE, _("'%s' is not encrypted"), change->path);
		return stream_refuse(data);
	}
	return gate_new(openpgp_decrypt_new(data, err), check_old, change, err);
}

/* Of the tar: what is true of it is true whoever may open it. */
static int
hand_down_proofs(const struct change *change, struct error *err)
{
	static const enum proof_kind kept[] = {
	    PROOF_CONTENT, PROOF_DRILL, PROOF_ACCEPTED};
	auto_json json_t *proofs = proof_load(change->old.sha256, err);

	if (proofs == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const json_t *proof =
		    json_object_get(proofs, proof_name(kept[i]));

		if (proof != NULL &&
		    proof_keep(change->fresh.sha256, kept[i], proof, err) < 0)
			return -1;
	}
	return 0;
}

static int
hand_down_origin(const struct change *change, struct error *err)
{
	auto_json json_t *entry = NULL;
	int found = record_find(change->old.sha256, &entry, err);
	int status;

	if (found <= 0)
		return found;
	status = json_object_set_new(
	    entry, "sha256", json_string(change->fresh.sha256));
	status |= json_object_set_new(entry, "size_bytes",
	    json_integer((json_int_t)change->fresh.size_bytes));
	return status < 0 ? error_set_memory(err) : record_add(entry, err);
}

/* Known before it has its name: a kill in between leaves an archive whose
 * origin is known, with a manifest or without. */
static int
hand_down(void *data, struct error *err)
{
	struct change *change = data;

	if (hand_down_origin(change, err) < 0 ||
	    hand_down_proofs(change, err) < 0)
		return -1;
	if (change->provenance.manifest == NULL)
		return 0;
	change->manifest = describe_reencrypted(change->provenance.manifest,
	    &change->run->recipients, &change->fresh, err);
	return change->manifest != NULL ? 0 : -1;
}

static int
find_place(struct change *change, const char *path, struct error *err)
{
	char *slash;

	if (strcmp(path, "-") == 0)
		return error_set(err, ERROR_USAGE,
		    _("'%s' has no place where it could be replaced"), path);
	change->path = realpath(path, NULL);
	if (change->path == NULL)
		return error_set_errno(err, errno, _("cannot open '%s'"), path);
	slash = strrchr(change->path, '/');
	change->name = slash + 1;
	change->directory =
	    slash == change->path
		? text_copy("/", 1, err)
		: text_copy(change->path, (size_t)(slash - change->path), err);
	return change->directory != NULL ? 0 : -1;
}

static int
save_manifest(const struct change *change, struct error *err)
{
	auto_manifest_files struct manifest_files files = {0};

	if (change->manifest == NULL)
		return 0;
	files.text = manifest_print(change->manifest, err);
	if (files.text == NULL)
		return -1;
	return manifest_save(
	    change->directory, change->name, &files, true, err);
}

static int
replace(struct change *change, struct error *err)
{
	auto_stream struct stream *data = open_old(change, err);

	data = openpgp_encrypt_new(steal(data), &change->run->recipients, err);
	data = digest_new(steal(data), &change->fresh, err);
	data = gate_new(steal(data), hand_down, change, err);
	if (data == NULL ||
	    archive_save(change->directory, change->name, true, data, err) < 0)
		return -1;
	if (save_manifest(change, err) < 0)
		return error_prefix(
		    err, _("the archive is whole, its manifest is not"));
	if (change->provenance.has_signature)
		watch_note(change->run->watch,
		    _("'%s' is not signed any more: what was signed is gone"),
		    change->path);
	return 0;
}

static int
describe(const struct change *change, json_t *result, struct error *err)
{
	auto_json json_t *known = json_pack("{s:o, s:s, s:I}", "recipients",
	    describe_recipients(&change->run->recipients), "sha256",
	    change->fresh.sha256, "size_bytes",
	    (json_int_t)change->fresh.size_bytes);

	return json_object_update(result, known) < 0 ? error_set_memory(err)
						     : 0;
}

static int
reencrypt_one(void *data, const char *path, json_t *result, struct error *err)
{
	const struct run *run = data;
	struct change change = {.run = run};
	int status = -1;

	watch_start(run->watch, path, 0);
	if (find_place(&change, path, err) == 0)
		status = replace(&change, err);
	watch_stop(run->watch);
	if (status < 0)
		error_prefix(err, _("cannot reencrypt '%s'"), path);
	else
		status = describe(&change, result, err);
	change_clear(&change);
	return status;
}

static int
reencrypt_each(struct run *run, const struct backup_choice *choice,
    json_t *results, struct error *err)
{
	struct backup_verb verb = {.act = reencrypt_one,
	    .data = run,
	    .listener = run->request->listener};
	struct backup_tally tally;

	if (backup_each(choice, &verb, ERROR_NONE, results, &tally, err) < 0)
		return -1;
	if (tally.failed == 0)
		return 0;
	return error_set(err, ERROR_PARTIAL,
	    _("%zu of %zu backups could not be reencrypted"), tally.failed,
	    tally.count);
}

int
reencrypt_backups(const struct reencrypt_request *request,
    const struct watch *watch, json_t **ret_results, struct error *err)
{
	auto_backup_choice struct backup_choice choice = {0};
	struct run run = {.request = request, .watch = watch};

	*ret_results = json_array();
	if (*ret_results == NULL)
		return error_set_memory(err);
	if (openpgp_find_recipients(request->recipients,
		request->recipient_count, &run.recipients, err) < 0 ||
	    backup_choose(&request->which, watch, &choice, err) < 0)
		return -1;
	if (!request->dry_run)
		return reencrypt_each(&run, &choice, *ret_results, err);
	for (size_t i = 0; i < choice.count; i++)
		watch_note(watch, _("would reencrypt '%s'"), choice.paths[i]);
	return 0;
}
