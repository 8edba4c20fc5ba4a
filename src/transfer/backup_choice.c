#include "transfer/backup_choice.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "store/catalogue.h"
#include "store/manifest.h"
#include "store/proof.h"
#include "store/subject.h"
#include "transfer/backup_filter.h"
#include "transfer/backup_word.h"

/* One archive, and when it was last proven; "" is never. */
struct candidate {
	const struct catalogue_entry *entry;
	char *proven_at;
};

void
backup_choice_clear(struct backup_choice *choice)
{
	for (size_t i = 0; i < choice->count; i++)
		free(choice->paths[i]);
	free(choice->paths);
	*choice = (struct backup_choice){0};
}

static int
reserve(struct backup_choice *choice, size_t count, struct error *err)
{
	choice->paths = calloc(count + 1, sizeof(*choice->paths));
	return choice->paths != NULL ? 0 : error_set_memory(err);
}

static int
add_path(struct backup_choice *choice, const char *path, struct error *err)
{
	char *owned = text_copy(path, strlen(path), err);

	if (owned == NULL)
		return -1;
	choice->paths[choice->count++] = owned;
	return 0;
}

static int
refuse_volume(const char *word, struct error *err)
{
	error_set(err, ERROR_USAGE,
	    _("'%s' is of a custom volume: only instances can be drilled"),
	    word);
	return error_hint_command(
	    err, "anklume", "backup", "verify", word, NULL);
}

/* A file that cannot be read is told of when it is opened. */
static bool
is_of_volume(const char *path)
{
	struct error ignored = {0};
	auto_json json_t *manifest = NULL;
	const char *subject;

	if (manifest_load(path, &manifest, &ignored) <= 0)
		return false;
	subject = manifest_subject(manifest);
	return subject != NULL && subject_is_volume(subject);
}

/* Whether or not there is such a backup. */
static int
check_words(const struct backup_choice_request *request, struct error *err)
{
	for (size_t i = 0; request->instances_only && i < request->word_count;
	     i++) {
		if (backup_word_is_of_volume(request->words[i]))
			return refuse_volume(request->words[i], err);
	}
	return 0;
}

/* Each word is one archive. */
static int
choose_by_words(const struct backup_choice_request *request,
    const struct watch *watch, struct backup_choice *choice, struct error *err)
{
	struct backup_search search = {request->from, request->project};

	if (reserve(choice, request->word_count, err) < 0)
		return -1;
	for (size_t i = 0; i < request->word_count; i++) {
		auto_free char *path = NULL;

		if (backup_word_find(
			request->words[i], &search, watch, &path, err) < 0)
			return -1;
		if (request->instances_only && is_of_volume(path))
			return refuse_volume(request->words[i], err);
		if (add_path(choice, path, err) < 0)
			return -1;
	}
	return 0;
}

static int
find_proof(const struct backup_choice_request *request,
    struct candidate *candidate, struct error *err)
{
	const char *sha256 = json_text(candidate->entry->manifest, "sha256");
	auto_json json_t *proofs =
	    proof_load(sha256 != NULL ? sha256 : "", err);
	const json_t *at;
	const char *text;

	if (proofs == NULL)
		return -1;
	at = json_at(proofs, request->proof, "at", NULL);
	text = json_is_string(at) ? json_string_value(at) : "";
	candidate->proven_at = text_copy(text, strlen(text), err);
	return candidate->proven_at != NULL ? 0 : -1;
}

static int
compare(const void *left, const void *right)
{
	const struct candidate *a = left;
	const struct candidate *b = right;
	int order = strcmp(a->proven_at, b->proven_at);

	/* The catalogue's order, among those that were never proven. */
	if (order == 0)
		order = a->entry < b->entry ? -1 : a->entry > b->entry;
	return order;
}

/* What has gone cannot be proven again. */
static int
take_oldest(const struct backup_choice_request *request,
    struct candidate *candidates, size_t count, struct backup_choice *choice,
    struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (find_proof(request, &candidates[i], err) < 0)
			return -1;
	}
	qsort(candidates, count, sizeof(*candidates), compare);
	for (size_t i = 0; i < count && choice->count < request->oldest; i++) {
		if (!candidates[i].entry->missing &&
		    add_path(choice, candidates[i].entry->path, err) < 0)
			return -1;
	}
	return 0;
}

static int
take_all(const struct candidate *candidates, size_t count,
    struct backup_choice *choice, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (add_path(choice, candidates[i].entry->path, err) < 0)
			return -1;
	}
	return 0;
}

static int
choose_among(const struct backup_choice_request *request,
    struct candidate *candidates, size_t count, struct backup_choice *choice,
    struct error *err)
{
	if (reserve(choice, count, err) < 0)
		return -1;
	if (request->oldest > 0)
		return take_oldest(request, candidates, count, choice, err);
	return take_all(candidates, count, choice, err);
}

static int
choose_from(const struct backup_choice_request *request,
    const struct catalogue *catalogue, const struct backup_filter *filter,
    struct backup_choice *choice, struct error *err)
{
	struct candidate *candidates =
	    calloc(catalogue->count + 1, sizeof(*candidates));
	size_t count = 0;
	int result;

	if (candidates == NULL)
		return error_set_memory(err);
	for (size_t i = 0; i < catalogue->count; i++) {
		if (backup_filter_takes(filter, &catalogue->entries[i]))
			candidates[count++].entry = &catalogue->entries[i];
	}
	result = choose_among(request, candidates, count, choice, err);
	for (size_t i = 0; i < count; i++)
		free(candidates[i].proven_at);
	free(candidates);
	return result;
}

static int
choose_by_directory(const struct backup_choice_request *request,
    struct backup_choice *choice, struct error *err)
{
	const char *from =
	    request->from != NULL ? request->from : BACKUP_DIRECTORY;
	auto_backup_filter struct backup_filter filter = {
	    .project = request->project,
	    .instances_only = request->instances_only};
	auto_catalogue struct catalogue catalogue = {0};

	if (backup_filter_add_words(
		&filter, request->words, request->word_count, err) < 0 ||
	    catalogue_read(from, &catalogue, err) < 0 ||
	    choose_from(request, &catalogue, &filter, choice, err) < 0)
		return -1;
	if (choice->count == 0)
		return error_set(err, ERROR_NOT_FOUND,
		    catalogue.count == 0 ? _("'%s' holds no backup")
					 : _("'%s' holds no such backup"),
		    from);
	return 0;
}

int
backup_choose(const struct backup_choice_request *request,
    const struct watch *watch, struct backup_choice *ret_choice,
    struct error *err)
{
	auto_backup_choice struct backup_choice choice = {0};
	int result = check_words(request, err);

	if (result == 0)
		result = request->word_count > 0 && request->oldest == 0
			     ? choose_by_words(request, watch, &choice, err)
			     : choose_by_directory(request, &choice, err);
	if (result < 0)
		return -1;
	*ret_choice = choice;
	choice = (struct backup_choice){0};
	return 0;
}
