#include "transfer/complete.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "incus/project.h"
#include "incus/snapshot.h"
#include "store/catalogue.h"
#include "store/manifest.h"
#include "store/subject.h"
#include "transfer/backup_word.h"
#include "transfer/location.h"
#include "transfer/watch.h"

/* What names the daemon of this host (location.h). */
#define REMOTE_LOCAL "local:"

static bool
is_fit(const char *word)
{
	static const char fit[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789-._+@%,/:";

	return *word != '\0' && *word != '-' && *word != ':' &&
	       word[strspn(word, fit)] == '\0';
}

static void
offer(struct completion *completion, const char *word)
{
	if (!text_starts_with(word, completion->typed) || !is_fit(word))
		return;
	completion->offered++;
	completion->offer(completion->context, word);
}

static int
by_name(const void *left, const void *right)
{
	const struct instance_ref *a = left;
	const struct instance_ref *b = right;
	int order = subject_compare(a->name, b->name);

	return order != 0 ? order : strcmp(a->project, b->project);
}

/* "POOL/VOLUME" stands in a name's place where archives are offered. */
static bool
is_plain_subject(const char *subject)
{
	struct error ignored = {0};
	auto_free char *pool = NULL;

	if (!subject_is_volume(subject))
		return text_is_plain_word(subject);
	pool = subject_pool(subject, &ignored);
	return pool != NULL && text_is_plain_word(pool) &&
	       text_is_plain_word(subject_volume(subject));
}

/* Those of drills come and go, and are found by no name. */
static bool
is_offered(const struct instance_ref *ref)
{
	return is_plain_subject(ref->name) &&
	       text_is_plain_word(ref->project) &&
	       !text_starts_with(ref->project, INSTANCE_DRILL_PREFIX);
}

static void
drop_others(struct instance_names *names)
{
	size_t kept = 0;

	for (size_t i = 0; i < names->count; i++) {
		if (is_offered(&names->items[i]))
			names->items[kept++] = names->items[i];
		else
			instance_ref_clear(&names->items[i]);
	}
	names->count = kept;
}

/* How the offered names are spelled. */
struct spelling {
	const char *remote; /* before them */
	const char *behind;
	bool whole; /* with the project in any case */
};

static int
offer_ref(struct completion *completion, const struct instance_ref *ref,
    const struct spelling *spelling, bool whole, struct error *err)
{
	auto_free char *word = text_format(err, "%s%s%s%s%s", spelling->remote,
	    whole ? ref->project : "", whole ? "/" : "", ref->name,
	    spelling->behind);

	if (word == NULL)
		return -1;
	offer(completion, word);
	return 0;
}

/* Those of one name stand side by side. */
static int
offer_refs(struct completion *completion, const struct instance_names *names,
    const struct spelling *spelling, struct error *err)
{
	const char *project = completion->project;

	for (size_t i = 0; i < names->count; i++) {
		const struct instance_ref *ref = &names->items[i];
		bool shared = (i > 0 && strcmp(ref[-1].name, ref->name) == 0) ||
			      (i + 1 < names->count &&
				  strcmp(ref[1].name, ref->name) == 0);
		bool preferred =
		    project != NULL && strcmp(ref->project, project) == 0;

		bool whole = spelling->whole || (shared && !preferred) ||
			     subject_is_volume(ref->name);

		if (offer_ref(completion, ref, spelling, whole, err) < 0)
			return -1;
	}
	return 0;
}

/* Takes the order of `names` away. */
static int
offer_names(struct completion *completion, struct instance_names *names,
    const char *behind, struct error *err)
{
	bool remote = text_starts_with(completion->typed, REMOTE_LOCAL);
	struct spelling spelling = {.remote = remote ? REMOTE_LOCAL : "",
	    .behind = behind,
	    .whole = strchr(completion->typed, '/') != NULL};
	size_t before = completion->offered;

	drop_others(names);
	if (names->count > 0)
		qsort(names->items, names->count, sizeof(names->items[0]),
		    by_name);
	if (offer_refs(completion, names, &spelling, err) < 0)
		return -1;
	if (spelling.whole || completion->offered > before)
		return 0;
	spelling.whole = true;
	return offer_refs(completion, names, &spelling, err);
}

int
complete_instances(
    struct completion *completion, const char *behind, struct error *err)
{
	auto_client struct incus_client *client = NULL;
	auto_instance_names struct instance_names names = {0};

	/* It is offered once it is begun: it would only be in the way. */
	if (*completion->typed != '\0' &&
	    strlen(completion->typed) < strlen(REMOTE_LOCAL))
		offer(completion, REMOTE_LOCAL);
	client = incus_client_open(completion->timeout_s, err);
	if (client == NULL || incus_list_names(client, &names, err) < 0)
		return -1;
	return offer_names(completion, &names, behind, err);
}

static void
offer_each(struct completion *completion, const json_t *words)
{
	const json_t *word;
	size_t i;

	json_array_foreach(words, i, word)
	{
		const char *text = json_string_value(word);

		if (text != NULL && text_is_plain_word(text) &&
		    !text_starts_with(text, INSTANCE_DRILL_PREFIX))
			offer(completion, text);
	}
}

int
complete_snapshots(
    struct completion *completion, const char *instance, struct error *err)
{
	auto_client struct incus_client *client = NULL;
	auto_instance_word struct instance_word word = {0};
	auto_instance_names struct instance_names names = {0};
	auto_instance_ref struct instance_ref ref = {0};
	auto_json json_t *snapshots = NULL;
	const json_t *snapshot;
	size_t i;

	if (instance_word_parse(instance, &word, err) < 0)
		return -1;
	client = incus_client_open(completion->timeout_s, err);
	if (client == NULL || incus_list_names(client, &names, err) < 0 ||
	    instance_names_find(&names, word.project, word.name,
		completion->project, &ref, err) < 0 ||
	    incus_snapshot_list(client, &ref, &snapshots, err) < 0)
		return -1;
	json_array_foreach(snapshots, i, snapshot)
	{
		const char *name = json_text(snapshot, "name");

		if (name != NULL && text_is_plain_word(name))
			offer(completion, name);
	}
	return 0;
}

int
complete_projects(struct completion *completion, struct error *err)
{
	auto_client struct incus_client *client =
	    incus_client_open(completion->timeout_s, err);
	auto_json json_t *names = NULL;

	if (client == NULL || incus_project_names(client, &names, err) < 0)
		return -1;
	offer_each(completion, names);
	return 0;
}

int
complete_pools(struct completion *completion, struct error *err)
{
	auto_client struct incus_client *client =
	    incus_client_open(completion->timeout_s, err);
	auto_json json_t *names = NULL;

	if (client == NULL || incus_pool_names(client, &names, err) < 0)
		return -1;
	offer_each(completion, names);
	return 0;
}

/* "web@" and when its backups were made, as manifests spell it. */
static int
offer_times(struct completion *completion, const struct catalogue *catalogue,
    size_t instance_length, struct error *err)
{
	auto_free char *instance =
	    text_copy(completion->typed, instance_length, err);
	auto_backup_word struct backup_word word = {0};

	if (instance == NULL || backup_word_parse(instance, &word, err) < 0)
		return -1;
	for (size_t i = 0; i < catalogue->count; i++) {
		const struct catalogue_entry *entry = &catalogue->entries[i];
		const char *created = json_text(entry->manifest, "created_at");
		auto_free char *offered = NULL;
		time_t begin;
		time_t end;

		if (created == NULL || entry->missing ||
		    !clock_parse_span(created, 0, &begin, &end) ||
		    !backup_word_means(&word, entry))
			continue;
		offered = text_format(err, "%s@%s", instance, created);
		if (offered == NULL)
			return -1;
		offer(completion, offered);
	}
	return 0;
}

/* One ref for all archives of an instance or volume; they stand together. */
static int
add_ref(struct instance_names *names, const struct catalogue_entry *entry,
    struct error *err)
{
	const char *project = json_text(entry->manifest, "project");
	const char *name = manifest_subject(entry->manifest);
	struct instance_ref *ref = &names->items[names->count];

	if (project == NULL || name == NULL || entry->missing ||
	    (names->count > 0 && strcmp(ref[-1].name, name) == 0 &&
		strcmp(ref[-1].project, project) == 0))
		return 0;
	names->count++;
	ref->project = text_copy(project, strlen(project), err);
	ref->name = text_copy(name, strlen(name), err);
	return ref->project != NULL && ref->name != NULL ? 0 : -1;
}

static int
offer_archived(struct completion *completion, const struct catalogue *catalogue,
    struct error *err)
{
	const char *slash = strrchr(completion->typed, '/');
	const char *at = strchr(slash != NULL ? slash : completion->typed, '@');
	auto_instance_names struct instance_names names = {0};

	if (at != NULL)
		return offer_times(completion, catalogue,
		    (size_t)(at - completion->typed), err);
	names.items = calloc(catalogue->count + 1, sizeof(names.items[0]));
	if (names.items == NULL)
		return error_set_memory(err);
	for (size_t i = 0; i < catalogue->count; i++) {
		if (add_ref(&names, &catalogue->entries[i], err) < 0)
			return -1;
	}
	return offer_names(completion, &names, "", err);
}

int
complete_archived(struct completion *completion, bool paths, struct error *err)
{
	auto_catalogue struct catalogue catalogue = {0};
	int result;

	if (catalogue_read(
		completion->from != NULL ? completion->from : BACKUP_DIRECTORY,
		&catalogue, err) < 0)
		return -1;
	result = offer_archived(completion, &catalogue, err);
	for (size_t i = 0; paths && i < catalogue.count; i++) {
		if (!catalogue.entries[i].missing)
			offer(completion, catalogue.entries[i].path);
	}
	return result;
}

int
complete_archived_snapshots(
    struct completion *completion, const char *backup, struct error *err)
{
	static const struct watch nobody;
	struct backup_search search = {
	    .from = completion->from, .project = completion->project};
	struct catalogue_entry entry = {0};
	auto_free char *path = NULL;

	if (backup_word_find(backup, &search, &nobody, &path, err) < 0 ||
	    catalogue_load(path, &entry, err) < 0)
		return -1;
	offer_each(completion, json_object_get(entry.manifest, "snapshots"));
	catalogue_entry_clear(&entry);
	return 0;
}
