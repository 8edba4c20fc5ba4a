#include "transfer/origin.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/archive.h"
#include "store/manifest.h"
#include "store/record.h"
#include "stream/digest.h"

void
provenance_clear(struct provenance *provenance)
{
	json_decref(provenance->manifest);
	json_decref(provenance->candidates);
	*provenance = (struct provenance){0};
}

static int
load_by_manifest(struct provenance *provenance, const char *path,
    uint64_t size_bytes, struct error *err)
{
	const char *sha256 = json_text(provenance->manifest, "sha256");
	json_t *entry = NULL;
	int found;

	if ((uint64_t)json_number(provenance->manifest, "size_bytes") !=
	    size_bytes)
		return error_set(err, ERROR_DAMAGED,
		    _("'%s' has %llu bytes, but its manifest says %lld: it is "
		      "cut short, or not the file of that manifest"),
		    path, (unsigned long long)size_bytes,
		    (long long)json_number(provenance->manifest, "size_bytes"));
	found = record_find(sha256 != NULL ? sha256 : "", &entry, err);
	if (found > 0)
		(void)json_array_append_new(provenance->candidates, entry);
	return found < 0 ? -1 : 0;
}

static bool
same_texts(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Whether all of them are of one instance or volume, so that any of them names
 * it. */
static bool
one_subject(const json_t *candidates)
{
	const json_t *first = json_array_get(candidates, 0);
	const json_t *one;
	size_t i;

	json_array_foreach(candidates, i, one)
	{
		if (!same_texts(json_text(one, "project"),
			json_text(first, "project")) ||
		    !same_texts(manifest_subject(one), manifest_subject(first)))
			return false;
	}
	return true;
}

/* The record's entries that the file may be, by its size, which costs nothing.
 * Where instances share one, the file is read once more than it must be. */
static int
load_by_size(struct provenance *provenance, const char *path,
    uint64_t size_bytes, struct error *err)
{
	struct digest digest = {0};
	uint64_t ignored;
	json_t *entry = NULL;
	int found;

	json_decref(provenance->candidates);
	provenance->candidates = NULL;
	if (record_find_size(size_bytes, &provenance->candidates, err) < 0)
		return -1;
	if (one_subject(provenance->candidates))
		return 0;
	if (digest_of(archive_open(path, &ignored, err), &digest, err) < 0)
		return -1;
	(void)json_array_clear(provenance->candidates);
	found = record_find(digest.sha256, &entry, err);
	if (found > 0)
		(void)json_array_append_new(provenance->candidates, entry);
	return found < 0 ? -1 : 0;
}

/* Another gpg than is needed may be missing: then the signature tells nothing,
 * which is for provenance_demand() to mind. */
static int
verify(const struct manifest_files *files, struct openpgp_verdict *ret_verdict,
    struct error *err)
{
	struct error failure = {0};

	if (openpgp_verify(files->text, files->size, files->signature,
		files->signature_size, ret_verdict, &failure) == 0)
		return 0;
	if (failure.code != ERROR_KEY) {
		*err = failure;
		return -1;
	}
	*ret_verdict =
	    (struct openpgp_verdict){.problem = N_("gpg cannot check it")};
	return 0;
}

static int
load_signature(struct provenance *provenance, const char *path,
    const struct manifest_files *files, struct error *err)
{
	const struct openpgp_verdict *verdict = &provenance->signature;

	if (files->signature == NULL)
		return 0;
	if (verify(files, &provenance->signature, err) < 0)
		return -1;
	provenance->has_signature = true;
	if (!verdict->forged)
		return 0;
	return error_set(err, ERROR_DAMAGED,
	    _("the manifest of '%s' is not what was signed: %s"), path,
	    _(verdict->problem));
}

/* 1 with a manifest, 0 without, -1. */
static int
load_manifest(
    struct provenance *provenance, const char *path, struct error *err)
{
	auto_manifest_files struct manifest_files files = {0};
	int found = manifest_read(path, &files, err);

	if (found <= 0)
		return found;
	provenance->manifest = manifest_parse(path, &files, err);
	if (provenance->manifest == NULL ||
	    load_signature(provenance, path, &files, err) < 0)
		return -1;
	return 1;
}

int
provenance_load(const char *path, uint64_t size_bytes,
    struct provenance *ret_provenance, struct error *err)
{
	struct provenance found = {.candidates = json_array()};
	int loaded = 0;

	if (found.candidates == NULL)
		return error_set_memory(err);
	if (strcmp(path, "-") == 0) {
		*ret_provenance = found;
		return 0;
	}

	loaded = load_manifest(&found, path, err);
	if (loaded > 0)
		loaded = load_by_manifest(&found, path, size_bytes, err);
	else if (loaded == 0)
		loaded = load_by_size(&found, path, size_bytes, err);
	if (loaded < 0) {
		provenance_clear(&found);
		return -1;
	}
	*ret_provenance = found;
	return 0;
}

int
signature_demand_check(const struct signature_demand *demand, struct error *err)
{
	char ignored[OPENPGP_FINGERPRINT_BYTES];

	for (size_t i = 0; i < demand->signer_count; i++) {
		if (openpgp_parse_fingerprint(
			demand->signers[i], ignored, err) < 0)
			return -1;
	}
	return 0;
}

static bool
is_among(const char *fingerprint, const char *const *signers, size_t count)
{
	char one[OPENPGP_FINGERPRINT_BYTES];
	struct error ignored = {0};

	for (size_t i = 0; i < count; i++) {
		if (openpgp_parse_fingerprint(signers[i], one, &ignored) == 0 &&
		    strcmp(one, fingerprint) == 0)
			return true;
		error_clear(&ignored);
	}
	return false;
}

int
provenance_demand(struct provenance *provenance, const char *path,
    const struct signature_demand *demand, struct error *err)
{
	const struct openpgp_verdict *verdict = &provenance->signature;
	bool good = provenance->has_signature && verdict->good;
	bool asked_for = good && is_among(verdict->fingerprint, demand->signers,
				     demand->signer_count);

	provenance->trusted =
	    asked_for || (good && is_among(verdict->fingerprint,
				      demand->trusted, demand->trusted_count));
	if (demand->signer_count == 0 && !demand->required)
		return 0;
	if (!provenance->has_signature)
		return error_set(
		    err, ERROR_DAMAGED, _("'%s' is not signed"), path);
	if (!verdict->good)
		return error_set(err, ERROR_DAMAGED,
		    _("the signature of '%s' does not count: %s"), path,
		    _(verdict->problem));
	if (demand->signer_count == 0 || asked_for)
		return 0;
	return error_set(err, ERROR_DAMAGED,
	    _("'%s' is signed by another key than was asked for: %s"), path,
	    verdict->fingerprint);
}

const json_t *
provenance_entry(const struct provenance *provenance)
{
	const json_t *entry = json_array_get(provenance->candidates, 0);

	return entry == NULL && provenance->trusted ? provenance->manifest
						    : entry;
}

static bool
has_digest(const json_t *object, const struct digest *digest)
{
	const char *sha256 = json_text(object, "sha256");

	return sha256 != NULL && strcmp(sha256, digest->sha256) == 0;
}

static bool
any_has_digest(const json_t *candidates, const struct digest *digest)
{
	const json_t *one;
	size_t i;

	json_array_foreach(candidates, i, one)
	{
		if (has_digest(one, digest))
			return true;
	}
	return false;
}

int
provenance_check(const struct provenance *provenance,
    const struct digest *digest, bool presumed, struct error *err)
{
	if (!digest->complete)
		return error_set(err, ERROR_DAMAGED,
		    _("there is data after the end of the archive"));
	if (provenance->manifest != NULL &&
	    !has_digest(provenance->manifest, digest))
		return error_set(err, ERROR_DAMAGED,
		    _("its SHA-256 is not the one in its manifest"));
	if (presumed && json_array_size(provenance->candidates) > 0 &&
	    !any_has_digest(provenance->candidates, digest)) {
		error_set(err, ERROR_DAMAGED,
		    _("its SHA-256 is not that of the archive which this host "
		      "made with this size"));
		return error_hint(
		    err, _("if it comes from elsewhere, say where it goes: "
			   "--project P --name N"));
	}
	return 0;
}

static bool
is_in_record(const char *sha256)
{
	auto_json json_t *entry = NULL;
	struct error ignored = {0};

	return sha256 != NULL && record_find(sha256, &entry, &ignored) > 0;
}

#define SIGNED_BY "signed by "

const char *
origin_show(char buf[ORIGIN_SHOWN_BYTES], const char *text)
{
	if (text_starts_with(text, SIGNED_BY))
		(void)snprintf(buf, ORIGIN_SHOWN_BYTES, _("signed by %s"),
		    text + strlen(SIGNED_BY));
	else
		(void)snprintf(buf, ORIGIN_SHOWN_BYTES, "%s", _(text));
	return buf;
}

static enum origin
choose_origin(bool in_record, const struct openpgp_verdict *signature,
    char ret_text[ORIGIN_TEXT_BYTES])
{
	if (in_record) {
		(void)snprintf(
		    ret_text, ORIGIN_TEXT_BYTES, "%s", N_("this host"));
		return ORIGIN_THIS_HOST;
	}
	if (signature->good) {
		(void)snprintf(ret_text, ORIGIN_TEXT_BYTES, SIGNED_BY "%s",
		    signature->fingerprint);
		return ORIGIN_SIGNED;
	}
	(void)snprintf(ret_text, ORIGIN_TEXT_BYTES, "%s", N_("unknown"));
	return ORIGIN_UNKNOWN;
}

enum origin
provenance_origin(const struct provenance *provenance,
    const struct digest *digest, char ret_text[ORIGIN_TEXT_BYTES])
{
	static const struct openpgp_verdict none = {0};
	bool whole = digest->complete;
	bool as_signed = whole && provenance->manifest != NULL &&
			 has_digest(provenance->manifest, digest);

	return choose_origin(whole && is_in_record(digest->sha256),
	    as_signed ? &provenance->signature : &none, ret_text);
}

enum origin
origin_presumed(
    const char *path, const json_t *manifest, char ret_text[ORIGIN_TEXT_BYTES])
{
	auto_provenance struct provenance found = {0};
	struct openpgp_verdict signature = {0};
	bool in_record = is_in_record(json_text(manifest, "sha256"));
	struct error ignored = {0};

	/* What was signed must be what the caller has read. */
	if (!in_record && manifest != NULL &&
	    load_manifest(&found, path, &ignored) > 0 &&
	    json_equal(found.manifest, manifest) != 0)
		signature = found.signature;
	return choose_origin(in_record, &signature, ret_text);
}
