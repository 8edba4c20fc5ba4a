#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/catalogue.h"
#include "store/manifest.h"
#include "store/subject.h"
#include "transfer/backup_state.h"
#include "transfer/backup_word.h"
#include "transfer/watch.h"

/* Of those that there are, when none is the one that was asked for. */
#define SHOWN_MAX 5

/* One look-up. */
struct lookup {
	const char *text;
	const char *directory;
	const char *project; /* that breaks ties */
	const struct watch *watch;
	struct backup_word word;
	struct catalogue catalogue;
	bool *intact; /* for each entry that is meant */
};

static bool
same_owner(const struct catalogue_entry *a, const struct catalogue_entry *b)
{
	const json_t *left =
	    json_at(a->manifest, "server", "fingerprint", NULL);
	const json_t *right =
	    json_at(b->manifest, "server", "fingerprint", NULL);

	return json_equal(left, right) != 0 &&
	       json_equal(json_object_get(a->manifest, "project"),
		   json_object_get(b->manifest, "project")) != 0;
}

/* The first entry from `start` on that is meant and intact. */
static const struct catalogue_entry *
next_intact(const struct lookup *lookup, size_t start)
{
	for (size_t i = start; i < lookup->catalogue.count; i++) {
		const struct catalogue_entry *entry =
		    &lookup->catalogue.entries[i];

		if (backup_word_means(&lookup->word, entry) &&
		    lookup->intact[i])
			return entry;
	}
	return NULL;
}

static size_t
after(const struct lookup *lookup, const struct catalogue_entry *entry)
{
	return (size_t)(entry - lookup->catalogue.entries) + 1;
}

/* Of another project, or of another server, than the first one. */
static const struct catalogue_entry *
find_rival(const struct lookup *lookup, const struct catalogue_entry *first)
{
	const struct catalogue_entry *one = first;

	while ((one = next_intact(lookup, after(lookup, one))) != NULL) {
		if (!same_owner(first, one))
			return one;
	}
	return NULL;
}

static bool
is_newest_of_owner(
    const struct lookup *lookup, const struct catalogue_entry *entry)
{
	const struct catalogue_entry *one = next_intact(lookup, 0);

	while (one != entry && !same_owner(one, entry))
		one = next_intact(lookup, after(lookup, one));
	return one == entry;
}

/* Of two servers, only the path tells them apart. */
static bool
shares_project(const struct lookup *lookup, const struct catalogue_entry *entry)
{
	const struct catalogue_entry *one = next_intact(lookup, 0);

	while (one != NULL &&
	       (same_owner(one, entry) ||
		   json_equal(json_object_get(one->manifest, "project"),
		       json_object_get(entry->manifest, "project")) == 0))
		one = next_intact(lookup, after(lookup, one));
	return one != NULL;
}

/* The newest of each owner, as it must be typed. */
static int
refuse_several(const struct lookup *lookup, struct error *err)
{
	const char *name = lookup->word.subject;
	const struct catalogue_entry *one = next_intact(lookup, 0);

	error_set(err, ERROR_AMBIGUOUS,
	    subject_is_volume(name)
		? _("'%s' holds backups of several volumes '%s': say which")
		: _("'%s' holds backups of several instances '%s': say which"),
	    lookup->directory, name);
	for (; one != NULL; one = next_intact(lookup, after(lookup, one))) {
		struct error ignored = {0};
		const char *project = json_text(one->manifest, "project");
		auto_free char *whole = NULL;

		if (!is_newest_of_owner(lookup, one))
			continue;
		whole = shares_project(lookup, one) || project == NULL
			    ? text_format(&ignored, "%s", one->path)
			    : text_format(&ignored, "%s/%s", project, name);
		if (whole != NULL)
			error_hint_command(err, whole, NULL);
	}
	return -1;
}

/* What there is of it, newest first. */
static size_t
hint_paths(const struct lookup *lookup, struct error *err)
{
	size_t shown = 0;

	for (size_t i = 0; i < lookup->catalogue.count && shown < SHOWN_MAX;
	     i++) {
		const struct catalogue_entry *entry =
		    &lookup->catalogue.entries[i];

		if (!backup_word_is_of(&lookup->word, entry))
			continue;
		error_hint_command(err, entry->path, NULL);
		shown++;
	}
	return shown;
}

/* Volumes of that name, as they must be typed. */
static void
hint_volumes(const struct lookup *lookup, struct error *err)
{
	size_t shown = 0;

	for (size_t i = 0; i < lookup->catalogue.count && shown < SHOWN_MAX;
	     i++) {
		const json_t *manifest = lookup->catalogue.entries[i].manifest;
		const char *project = json_text(manifest, "project");
		const char *subject = manifest_subject(manifest);
		struct error ignored = {0};
		auto_free char *whole = NULL;

		if (project == NULL || subject == NULL ||
		    strcmp(subject_volume(subject), lookup->word.subject) != 0)
			continue;
		whole = text_format(&ignored, "%s/%s", project, subject);
		if (whole == NULL || strstr(err->hint, whole) != NULL)
			continue;
		error_hint_command(err, whole, NULL);
		shown++;
	}
}

static int
refuse_none(const struct lookup *lookup, struct error *err)
{
	const char *subject = lookup->word.subject;

	error_set(err, ERROR_NOT_FOUND, _("'%s' holds no backup of '%s'"),
	    lookup->directory, lookup->text);
	if (hint_paths(lookup, err) > 0)
		return -1;
	if (!subject_is_volume(subject))
		hint_volumes(lookup, err);
	else if (strchr(subject, '@') != NULL)
		return error_hint(
		    err, _("2026-11-22, 2026-11-22T14:30, today, yesterday"));
	return -1;
}

static const char *
reason(const struct catalogue_entry *entry)
{
	if (entry->missing)
		return _("passed over: '%s' has gone, its manifest is there");
	if (!catalogue_entry_fits(entry))
		return _("passed over: '%s' has not the size that its manifest "
			 "says");
	return _("passed over: '%s' was found damaged");
}

static void
note_passed_over(
    const struct lookup *lookup, const struct catalogue_entry *chosen)
{
	for (size_t i = 0; i < lookup->catalogue.count; i++) {
		const struct catalogue_entry *entry =
		    &lookup->catalogue.entries[i];

		if (entry == chosen)
			return;
		if (backup_word_means(&lookup->word, entry) &&
		    !lookup->intact[i])
			watch_note(lookup->watch, reason(entry), entry->path);
	}
}

/* Of several owners the one in the project that breaks ties, if it is one. */
static const struct catalogue_entry *
prefer(struct lookup *lookup, const struct catalogue_entry *first)
{
	struct backup_word *word = &lookup->word;
	const struct catalogue_entry *preferred;
	struct error ignored = {0};

	if (word->project != NULL || lookup->project == NULL ||
	    find_rival(lookup, first) == NULL)
		return first;
	word->project =
	    text_copy(lookup->project, strlen(lookup->project), &ignored);
	preferred = next_intact(lookup, 0);
	if (preferred != NULL)
		return preferred;
	free(steal(word->project));
	return first;
}

static int
find_intact(struct lookup *lookup, struct error *err)
{
	const struct catalogue *catalogue = &lookup->catalogue;

	assert(catalogue->count == 0 || catalogue->entries != NULL);
	lookup->intact = calloc(catalogue->count + 1, sizeof(bool));
	if (lookup->intact == NULL)
		return error_set_memory(err);
	for (size_t i = 0; i < catalogue->count; i++)
		lookup->intact[i] =
		    backup_word_is_of(&lookup->word, &catalogue->entries[i]) &&
		    backup_seems_intact(&catalogue->entries[i]);
	return 0;
}

static int
choose(struct lookup *lookup, char **ret_path, struct error *err)
{
	const struct catalogue_entry *first;

	if (find_intact(lookup, err) < 0)
		return -1;
	first = next_intact(lookup, 0);
	if (first != NULL)
		first = prefer(lookup, first);
	note_passed_over(lookup, first);
	if (first == NULL)
		return refuse_none(lookup, err);
	if (find_rival(lookup, first) != NULL)
		return refuse_several(lookup, err);
	*ret_path = text_copy(first->path, strlen(first->path), err);
	return *ret_path != NULL ? 0 : -1;
}

int
backup_word_find(const char *text, const struct backup_search *search,
    const struct watch *watch, char **ret_path, struct error *err)
{
	struct lookup lookup = {
	    .text = text,
	    .directory = search->from != NULL ? search->from : BACKUP_DIRECTORY,
	    .project = search->project,
	    .watch = watch,
	};
	int result = -1;

	if (backup_word_is_path(text)) {
		*ret_path = text_copy(text, strlen(text), err);
		return *ret_path != NULL ? 0 : -1;
	}
	if (backup_word_parse(text, &lookup.word, err) == 0 &&
	    catalogue_read(lookup.directory, &lookup.catalogue, err) == 0)
		result = choose(&lookup, ret_path, err);
	backup_word_clear(&lookup.word);
	catalogue_clear(&lookup.catalogue);
	free(lookup.intact);
	return result;
}
