#include "transfer/adopt.h"

#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "store/archive.h"
#include "store/catalogue.h"
#include "store/manifest.h"
#include "store/record.h"
#include "store/subject.h"
#include "stream/digest.h"
#include "stream/meter.h"
#include "stream/stream.h"
#include "transfer/describe.h"
#include "transfer/location.h"
#include "transfer/watch.h"
#include "transfer/whose.h"

/* A stranger's manifest may hold anything; ours make entries of 0.5 KiB. */
#define ENTRY_MAX_BYTES (16 * 1024)

struct adoption {
	const struct adopt_request *request;
	const struct watch *watch;
	json_t *archives; /* what is told of each */
	json_t *entries;  /* the record's, of those to be taken; else null */
	size_t ready;
	size_t refused;
};

/* Whether it may become the name of an instance, or the names of a volume,
 * again. */
static bool
may_be_restored(const char *subject)
{
	auto_instance_word struct instance_word word = {0};
	struct error ignored = {0};

	return subject_is_volume(subject) ||
	       (strchr(subject, ':') == NULL &&
		   instance_word_parse(subject, &word, &ignored) == 0);
}

/* Such a name, and all else that the record keeps. */
static bool
is_complete(const json_t *manifest)
{
	const char *project = json_text(manifest, "project");
	const char *subject = manifest_subject(manifest);
	const char *created = json_text(manifest, "created_at");
	time_t when;

	return project != NULL && subject != NULL && created != NULL &&
	       strchr(project, '/') == NULL && may_be_restored(subject) &&
	       clock_parse(created, 0, &when) &&
	       json_text(manifest, "archive") != NULL &&
	       json_is_object(json_object_get(manifest, "server"));
}

static json_t *
make_entry(const char *path, const json_t *manifest, struct error *err)
{
	auto_json json_t *entry = NULL;
	auto_free char *text = NULL;

	if (!is_complete(manifest)) {
		error_set(err, ERROR_DAMAGED,
		    _("the manifest of '%s' does not say what it is of"), path);
		return NULL;
	}
	entry = describe_record(manifest, err);
	text = entry != NULL ? json_print(entry, false, err) : NULL;
	if (text == NULL)
		return NULL;
	if (strlen(text) > ENTRY_MAX_BYTES) {
		error_set(err, ERROR_DAMAGED,
		    _("the manifest of '%s' has names that are too long"),
		    path);
		return NULL;
	}
	return steal(entry);
}

static int
check_bytes(const struct adoption *adoption, const char *path,
    const struct provenance *provenance, struct error *err)
{
	struct meter_watch meter = watch_meter(adoption->watch);
	struct digest digest = {0};
	uint64_t size_bytes;
	struct stream *data = archive_open(path, &size_bytes, err);
	int result;

	watch_start(adoption->watch, path, size_bytes);
	result = digest_of(meter_new(data, &meter, err), &digest, err);
	watch_stop(adoption->watch);
	if (result == 0)
		result = provenance_check(provenance, &digest, false, err);
	return result == 0 ? 0 : error_prefix(err, "'%s'", path);
}

static int
check_there(const struct catalogue_entry *entry, struct error *err)
{
	if (entry->missing)
		return error_set(err, ERROR_NOT_FOUND,
		    _("there is only the manifest of '%s'"), entry->path);
	if (entry->problem != NULL)
		return error_set(err, ERROR_DAMAGED, "%s", entry->problem);
	if (entry->manifest != NULL)
		return 0;
	error_set(err, ERROR_DAMAGED,
	    _("'%s' has no manifest: nothing says whose it is"), entry->path);
	return error_hint_command(err, "anklume", "backup", "restore", "--file",
	    entry->path, "--project", "P", "--name", "N", NULL);
}

/* Whether it may be taken: 1 and its entry for the record, 0 when that has it
 * already, -1. */
static int
examine(const struct adoption *adoption, const struct catalogue_entry *found,
    json_t *told, json_t **ret_entry, struct error *err)
{
	auto_provenance struct provenance provenance = {0};
	auto_json json_t *entry = NULL;
	char origin[ORIGIN_TEXT_BYTES];
	bool known;

	if (check_there(found, err) < 0 ||
	    provenance_load(found->path, found->size_bytes, &provenance, err) <
		0 ||
	    provenance_demand(&provenance, found->path,
		&adoption->request->signature, err) < 0)
		return -1;

	known = json_array_size(provenance.candidates) > 0;
	entry = make_entry(found->path, provenance.manifest, err);
	if (entry == NULL || json_object_update(told, entry) < 0)
		return error_is_set(err) ? -1 : error_set_memory(err);
	if (!known && check_bytes(adoption, found->path, &provenance, err) < 0)
		return -1;
	(void)origin_presumed(found->path, provenance.manifest, origin);
	if (json_object_set_new(told, "origin", json_string(origin)) < 0)
		return error_set_memory(err);
	if (known)
		return 0;
	*ret_entry = steal(entry);
	return 1;
}

static void
say_found(const struct adoption *adoption, const char *path, const json_t *told)
{
	char when[CLOCK_TEXT_BYTES];
	char size[TEXT_SIZE_BYTES];
	char origin[ORIGIN_SHOWN_BYTES];
	struct error ignored = {0};
	auto_free char *name = whose_backup(told, &ignored);
	time_t made = 0;

	if (name == NULL)
		return;
	(void)clock_parse(json_text(told, "created_at"), 0, &made);
	watch_note(adoption->watch, _("%s, made %s, %s, origin: %s: '%s'"),
	    name, clock_local(when, made),
	    text_show_size(size, (uint64_t)json_number(told, "size_bytes")),
	    origin_show(origin, json_text(told, "origin")), path);
}

/* What became of one, for JSON. */
static int
settle(json_t *told, const char *state, const struct error *failure,
    struct error *err)
{
	int status = json_object_set_new(told, "state", json_string(state)) |
		     json_object_set_new(told, "status",
			 json_integer((json_int_t)failure->code));

	if (error_is_set(failure))
		status |= json_object_set_new(
		    told, "problem", json_string(failure->text));
	return status < 0 ? error_set_memory(err) : 0;
}

/* -1 only when the run cannot go on; *failure is the archive's own. */
static int
look_at(struct adoption *adoption, const struct catalogue_entry *found,
    struct error *failure, struct error *err)
{
	static const char *const states[] = {"refused", "known", "eligible"};
	json_t *told =
	    json_pack("{s:o, s:I}", "path", json_string_escaped(found->path),
		"size_bytes", (json_int_t)found->size_bytes);
	json_t *entry = NULL;
	int result;

	if (told == NULL || json_array_append_new(adoption->archives, told) < 0)
		return error_set_memory(err);
	result = examine(adoption, found, told, &entry, failure);
	if (json_array_append_new(
		adoption->entries, entry != NULL ? entry : json_null()) < 0)
		return error_set_memory(err);
	if (interrupt_check(err) < 0)
		return -1;

	adoption->ready += result > 0;
	adoption->refused += result < 0;
	if (result > 0)
		say_found(adoption, found->path, told);
	else if (result == 0)
		watch_detail(adoption->watch,
		    _("'%s' is in this host's record already"), found->path);
	return settle(told, states[result + 1], failure, err);
}

static int
confirm(const struct adoption *adoption, struct error *err)
{
	auto_free char *question = text_format(err,
	    _("take these archives (%zu) as this host's own, and trust them?"),
	    adoption->ready);

	if (question == NULL)
		return -1;
	if (watch_confirm(adoption->watch, question))
		return 0;
	error_set(err, ERROR_USAGE, _("nothing was taken"));
	return error_hint(err, _("--yes answers the question beforehand"));
}

static int
take(const struct adoption *adoption, struct error *err)
{
	const json_t *entry;
	size_t i;

	if (adoption->ready == 0)
		return 0;
	if (adoption->request->dry_run) {
		watch_note(adoption->watch,
		    _("would take these archives (%zu) as this host's own"),
		    adoption->ready);
		return 0;
	}
	if (confirm(adoption, err) < 0)
		return -1;
	json_array_foreach(adoption->entries, i, entry)
	{
		json_t *told = json_array_get(adoption->archives, i);

		if (json_is_null(entry))
			continue;
		if (record_add(entry, err) < 0)
			return -1;
		if (json_object_set_new(told, "state", json_string("adopted")) <
		    0)
			return error_set_memory(err);
	}
	return 0;
}

static int
look_at_all(struct adoption *adoption, const struct catalogue *catalogue,
    struct error *err)
{
	for (size_t i = 0; i < catalogue->count; i++) {
		struct error failure = {0};

		if (look_at(adoption, &catalogue->entries[i], &failure, err) <
		    0)
			return -1;
		if (!error_is_set(&failure))
			continue;
		if (catalogue->count == 1) {
			*err = failure;
			return -1;
		}
		watch_note(adoption->watch, _("not taken: %s"), failure.text);
	}
	return 0;
}

static int
run(struct adoption *adoption, struct error *err)
{
	const char *directory = adoption->request->directory;
	auto_catalogue struct catalogue catalogue = {0};

	if (signature_demand_check(&adoption->request->signature, err) < 0 ||
	    catalogue_read(directory, &catalogue, err) < 0)
		return -1;
	if (catalogue.count == 0)
		return error_set(
		    err, ERROR_NOT_FOUND, _("'%s' holds no backup"), directory);
	if (look_at_all(adoption, &catalogue, err) < 0 ||
	    take(adoption, err) < 0)
		return -1;
	if (adoption->refused > 0)
		return error_set(err, ERROR_PARTIAL,
		    _("%zu of %zu archives were not taken"), adoption->refused,
		    catalogue.count);
	return 0;
}

int
backup_adopt(const struct adopt_request *request, const struct watch *watch,
    json_t **ret_archives, struct error *err)
{
	auto_json json_t *archives = json_array();
	auto_json json_t *entries = json_array();
	struct adoption adoption = {
	    .request = request,
	    .watch = watch,
	    .archives = archives,
	    .entries = entries,
	};
	int result = archives != NULL && entries != NULL
			 ? run(&adoption, err)
			 : error_set_memory(err);

	*ret_archives = steal(archives);
	return result;
}
