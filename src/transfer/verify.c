#include "transfer/verify.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "store/archive.h"
#include "store/proof.h"
#include "stream/digest.h"
#include "stream/meter.h"
#include "stream/stream.h"
#include "transfer/backup_source.h"
#include "transfer/watch.h"

/* One run over the archives. */
struct run {
	const struct verify_request *request;
	const struct watch *watch;
};

static enum proof_kind
kind_of(enum verify_level level)
{
	return level == VERIFY_CONTENT ? PROOF_CONTENT : PROOF_DIGEST;
}

/* Without a manifest, only this host's record says what the bytes should be. */
static int
check_known(const struct backup_source *source, struct error *err)
{
	char origin[ORIGIN_TEXT_BYTES];

	if (source->provenance.manifest != NULL)
		return provenance_check(
		    &source->provenance, &source->digest, false, err);
	if (provenance_origin(&source->provenance, &source->digest, origin) !=
	    ORIGIN_UNKNOWN)
		return 0;
	error_set(err, ERROR_NOT_FOUND,
	    _("it has no manifest, and this host has not made it: there is "
	      "nothing to compare it with"));
	return error_hint(err, "--level content");
}

static int
verify_digest(struct backup_source *source, const char *path,
    const struct watch *watch, struct error *err)
{
	struct meter_watch meter = watch_meter(watch);
	struct stream *data = archive_open(path, &source->size_bytes, err);

	if (data == NULL)
		return -1;
	if (provenance_load(
		path, source->size_bytes, &source->provenance, err) < 0) {
		stream_free(data);
		return -1;
	}
	if (digest_of(meter_new(data, &meter, err), &source->digest, err) < 0 ||
	    check_known(source, err) < 0)
		return error_prefix(err, "'%s'", path);
	return 0;
}

static int
check_tar(const struct backup_source *source, const struct digest *tar,
    struct error *err)
{
	const char *sha256 =
	    json_text(source->provenance.manifest, "tar_sha256");

	if (backup_source_check(source, false, err) < 0)
		return -1;
	if (source->provenance.manifest == NULL ||
	    (sha256 != NULL && strcmp(sha256, tar->sha256) == 0))
		return 0;
	return error_set(
	    err, ERROR_DAMAGED, _("its content is not what its manifest says"));
}

static int
verify_content(struct backup_source *source, const char *path,
    const struct watch *watch, struct error *err)
{
	struct digest tar = {0};
	struct stream *data = backup_source_open(source, path, watch, err);

	if (data == NULL)
		return -1;
	if (digest_of(data, &tar, err) < 0 || check_tar(source, &tar, err) < 0)
		return error_prefix(err, "'%s'", path);
	return 0;
}

/* Where an archive lies, so that a mark on it is not one on its copies. */
static char *
absolute(const char *path, struct error *err)
{
	char *resolved = realpath(path, NULL);

	return resolved != NULL ? resolved : text_copy(path, strlen(path), err);
}

/* An archive that is intact now is not damaged any more. */
static int
lift_mark(const char *sha256, const char *path, struct error *err)
{
	auto_json json_t *proofs = proof_load(sha256, err);
	const json_t *marked;

	if (proofs == NULL)
		return -1;
	marked = json_at(proofs, proof_name(PROOF_DAMAGE), "path", NULL);
	if (!json_is_string(marked) ||
	    strcmp(json_string_value(marked), path) != 0)
		return 0;
	return proof_forget(sha256, PROOF_DAMAGE, err);
}

/* What was found out is worth keeping; that it could not be kept is a note. */
static void
remember(const struct run *run, const struct backup_source *source,
    const char *path, const struct error *failure)
{
	const char *listed = json_text(source->provenance.manifest, "sha256");
	const char *sha256 =
	    error_is_set(failure) ? listed : source->digest.sha256;
	char at[CLOCK_TEXT_BYTES];
	struct error err = {0};
	auto_free char *place = absolute(path, &err);
	auto_json json_t *proof = NULL;

	if (sha256 == NULL || place == NULL)
		return;
	proof = json_pack("{s:s, s:s*}", "at", clock_utc(at, time(NULL)),
	    "problem", error_is_set(failure) ? failure->text : NULL);
	if (error_is_set(failure)) {
		(void)json_object_set_new(proof, "path", json_string(place));
		(void)proof_keep(sha256, PROOF_DAMAGE, proof, &err);
	} else if (lift_mark(sha256, place, &err) == 0) {
		(void)proof_keep(
		    sha256, kind_of(run->request->level), proof, &err);
	}
	if (error_is_set(&err))
		watch_note(run->watch, _("'%s': this cannot be kept: %s"), path,
		    err.text);
}

static const char *
result_name(const struct error *failure)
{
	if (!error_is_set(failure))
		return "intact";
	return failure->code == ERROR_DAMAGED ? "damaged" : "unverified";
}

static int
describe(const struct run *run, const struct backup_source *source,
    json_t *result, const struct error *failure)
{
	bool whole = source->digest.complete;
	char origin[ORIGIN_TEXT_BYTES];
	auto_json json_t *known = NULL;

	(void)provenance_origin(&source->provenance, &source->digest, origin);
	known = json_pack("{s:s, s:s, s:I, s:s*, s:s*}", "result",
	    result_name(failure), "level",
	    proof_name(kind_of(run->request->level)), "size_bytes",
	    (json_int_t)source->size_bytes, "origin", whole ? origin : NULL,
	    "sha256", whole ? source->digest.sha256 : NULL);

	return json_object_update(result, known);
}

static int
verify_one(void *data, const char *path, json_t *result, struct error *err)
{
	const struct run *run = data;
	auto_backup_source struct backup_source source = {.path = path};
	int status;

	watch_start(run->watch, path, 0);
	status = run->request->level == VERIFY_CONTENT
		     ? verify_content(&source, path, run->watch, err)
		     : verify_digest(&source, path, run->watch, err);
	watch_stop(run->watch);
	/* gpg hears the same Ctrl-C: what it says then is no finding. */
	if (!interrupt_seen() && (status == 0 || err->code == ERROR_DAMAGED))
		remember(run, &source, path, err);
	if (describe(run, &source, result, err) < 0 && status == 0)
		return error_set_memory(err);
	return status;
}

static int
verify_each(struct run *run, const struct backup_choice *choice,
    json_t *results, struct error *err)
{
	struct backup_verb verb = {
	    .act = verify_one, .data = run, .listener = run->request->listener};
	struct backup_tally tally;

	if (backup_each(choice, &verb, ERROR_DAMAGED, results, &tally, err) < 0)
		return -1;
	if (tally.failed > 0)
		return error_set(err,
		    tally.grave > 0 ? ERROR_DAMAGED : ERROR_PARTIAL,
		    _("of %zu backups %zu are damaged, and %zu could not be "
		      "verified"),
		    tally.count, tally.grave, tally.failed - tally.grave);
	if (tally.count > 1)
		watch_note(
		    run->watch, _("all %zu backups are intact"), tally.count);
	return 0;
}

static void
say_what_would_be(const struct run *run, const struct backup_choice *choice)
{
	for (size_t i = 0; i < choice->count; i++)
		watch_note(
		    run->watch, _("would verify '%s'"), choice->paths[i]);
}

int
verify_backups(const struct verify_request *request, const struct watch *watch,
    json_t **ret_results, struct error *err)
{
	struct backup_choice_request wanted = request->which;
	auto_backup_choice struct backup_choice choice = {0};
	struct run run = {request, watch};

	wanted.proof = proof_name(kind_of(request->level));
	*ret_results = json_array();
	if (*ret_results == NULL)
		return error_set_memory(err);
	if (backup_choose(&wanted, watch, &choice, err) < 0)
		return -1;
	if (!request->dry_run)
		return verify_each(&run, &choice, *ret_results, err);
	say_what_would_be(&run, &choice);
	return 0;
}
