#include "transfer/origin.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
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
same_text(const json_t *a, const json_t *b, const char *key)
{
	return json_equal(json_object_get(a, key), json_object_get(b, key)) !=
	       0;
}

/* Whether all of them are of one instance, so that any of them names it. */
static bool
one_instance(const json_t *candidates)
{
	const json_t *first = json_array_get(candidates, 0);
	const json_t *one;
	size_t i;

	json_array_foreach(candidates, i, one)
	{
		if (!same_text(one, first, "project") ||
		    !same_text(one, first, "instance"))
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
	if (one_instance(provenance->candidates))
		return 0;
	if (digest_of(archive_open(path, &ignored, err), &digest, err) < 0)
		return -1;
	(void)json_array_clear(provenance->candidates);
	found = record_find(digest.sha256, &entry, err);
	if (found > 0)
		(void)json_array_append_new(provenance->candidates, entry);
	return found < 0 ? -1 : 0;
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

	loaded = manifest_load(path, &found.manifest, err);
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

const json_t *
provenance_entry(const struct provenance *provenance)
{
	return json_array_get(provenance->candidates, 0);
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
	if (presumed && !any_has_digest(provenance->candidates, digest)) {
		error_set(err, ERROR_DAMAGED,
		    _("its SHA-256 is not that of the archive which this host "
		      "made with this size"));
		return error_hint(
		    err, _("if it comes from elsewhere, say where it goes: "
			   "--project P --name N"));
	}
	return 0;
}

enum origin
origin_of(const struct digest *digest)
{
	auto_json json_t *entry = NULL;
	struct error ignored = {0};

	return digest->complete &&
		       record_find(digest->sha256, &entry, &ignored) > 0
		   ? ORIGIN_THIS_HOST
		   : ORIGIN_UNKNOWN;
}

const char *
origin_name(enum origin origin)
{
	return origin == ORIGIN_THIS_HOST ? N_("this host") : N_("unknown");
}
