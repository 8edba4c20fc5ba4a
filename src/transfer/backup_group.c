#include "transfer/backup_group.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "store/catalogue.h"
#include "store/manifest.h"
#include "store/proof.h"
#include "store/subject.h"

static const char *
fingerprint_of(const struct catalogue_entry *entry)
{
	return json_text(
	    json_object_get(entry->manifest, "server"), "fingerprint");
}

static bool
takes_part(const struct catalogue_entry *entry)
{
	const char *fingerprint = fingerprint_of(entry);

	return !entry->missing && fingerprint != NULL && *fingerprint != '\0' &&
	       json_text(entry->manifest, "project") != NULL &&
	       manifest_subject(entry->manifest) != NULL;
}

static int
compare_members(
    const struct catalogue_entry *a, const struct catalogue_entry *b)
{
	int order = strcmp(json_text(a->manifest, "project"),
	    json_text(b->manifest, "project"));

	if (order == 0)
		order = subject_compare(manifest_subject(a->manifest),
		    manifest_subject(b->manifest));
	return order != 0 ? order
			  : strcmp(fingerprint_of(a), fingerprint_of(b));
}

static int
compare(const void *left, const void *right)
{
	const struct catalogue_entry *a =
	    *(const struct catalogue_entry *const *)left;
	const struct catalogue_entry *b =
	    *(const struct catalogue_entry *const *)right;
	time_t when_a = 0;
	time_t when_b = 0;
	int order = compare_members(a, b);

	if (order != 0)
		return order;
	(void)backup_group_time(a, &when_a);
	(void)backup_group_time(b, &when_b);
	if (when_a != when_b)
		return when_a > when_b ? -1 : 1;
	return strcmp(b->path, a->path);
}

static void
add(struct backup_groups *groups, const struct catalogue_entry **entry)
{
	struct backup_group *last =
	    groups->count > 0 ? &groups->items[groups->count - 1] : NULL;

	if (last != NULL && compare_members(last->entries[0], *entry) == 0) {
		last->count++;
		return;
	}
	groups->items[groups->count++] = (struct backup_group){
	    .fingerprint = fingerprint_of(*entry),
	    .project = json_text((*entry)->manifest, "project"),
	    .subject = manifest_subject((*entry)->manifest),
	    .count = 1,
	    .entries = entry,
	};
}

int
backup_groups_make(const struct catalogue *catalogue,
    struct backup_groups *ret_groups, struct error *err)
{
	struct backup_groups groups = {
	    .items = calloc(catalogue->count + 1, sizeof(*groups.items)),
	    .entries = calloc(catalogue->count + 1, sizeof(void *)),
	};
	size_t count = 0;

	if (groups.items == NULL || groups.entries == NULL) {
		backup_groups_clear(&groups);
		return error_set_memory(err);
	}
	for (size_t i = 0; i < catalogue->count; i++) {
		if (takes_part(&catalogue->entries[i]))
			groups.entries[count++] = &catalogue->entries[i];
	}
	if (count > 0)
		qsort(groups.entries, count, sizeof(void *), compare);
	for (size_t i = 0; i < count; i++)
		add(&groups, &groups.entries[i]);
	*ret_groups = groups;
	return 0;
}

void
backup_groups_clear(struct backup_groups *groups)
{
	free(groups->items);
	free(groups->entries);
	*groups = (struct backup_groups){0};
}

bool
backup_group_time(const struct catalogue_entry *entry, time_t *ret_when)
{
	const char *created = json_text(entry->manifest, "created_at");

	return created != NULL && clock_parse_rfc3339(created, ret_when);
}

bool
backup_group_shrank(const struct catalogue_entry *entry)
{
	struct error ignored = {0};
	auto_json json_t *proofs = NULL;

	if (json_text(entry->manifest, "shrunk_from") == NULL)
		return false;
	proofs = proof_load(json_text(entry->manifest, "sha256"), &ignored);
	return json_object_get(proofs, proof_name(PROOF_ACCEPTED)) == NULL;
}
