#include "transfer/backup_word.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/catalogue.h"
#include "store/manifest.h"
#include "store/subject.h"
#include "transfer/location.h"

void
backup_word_clear(struct backup_word *word)
{
	free(word->project);
	free(word->subject);
	*word = (struct backup_word){0};
}

static int
parse_instance(const char *text, struct backup_word *word, struct error *err)
{
	/* A project's name may hold one, too. */
	const char *slash = strrchr(text, '/');
	const char *at = strchr(slash != NULL ? slash : text, '@');
	size_t length = at != NULL ? (size_t)(at - text) : strlen(text);
	auto_free char *name = text_copy(text, length, err);
	struct instance_word instance = {0};

	if (name == NULL)
		return -1;
	if (at != NULL &&
	    !clock_parse_span(at + 1, time(NULL), &word->begin, &word->end)) {
		error_set(err, ERROR_USAGE, _("'%s': '%s' is not a time"), text,
		    at + 1);
		return error_hint(
		    err, _("2026-11-22, 2026-11-22T14:30, today, yesterday"));
	}
	if (instance_word_parse(name, &instance, err) < 0)
		return -1;
	word->project = instance.project;
	word->subject = instance.name;
	return 0;
}

/* What names this host's daemon may stand before it, as before an instance. */
static const char *
skip_remote(const char *text)
{
	return text_starts_with(text, "local:") ? text + strlen("local:")
						: text;
}

/* Whether it has three parts: what else they hold is for manifests to know. */
static bool
has_volume_form(const char *text)
{
	const char *word = skip_remote(text);
	const char *slash = strchr(word, '/');

	return slash != NULL && word + strspn(word, ".") < slash &&
	       subject_fits_volume(slash + 1);
}

static int
parse_volume(const char *text, struct backup_word *word, struct error *err)
{
	const char *begin = skip_remote(text);
	const char *subject = strchr(begin, '/') + 1;
	const char *at = strrchr(subject, '@');
	size_t length = strlen(subject);

	if (at != NULL && at > subject_volume(subject) &&
	    clock_parse_span(at + 1, time(NULL), &word->begin, &word->end))
		length = (size_t)(at - subject);
	word->project = text_copy(begin, (size_t)(subject - begin) - 1, err);
	word->subject = text_copy(subject, length, err);
	return word->project != NULL && word->subject != NULL ? 0 : -1;
}

int
backup_word_parse(
    const char *text, struct backup_word *ret_word, struct error *err)
{
	struct backup_word word = {0};
	int result = has_volume_form(text) ? parse_volume(text, &word, err)
					   : parse_instance(text, &word, err);

	if (result < 0) {
		backup_word_clear(&word);
		return -1;
	}
	*ret_word = word;
	return 0;
}

static bool
has_text(const struct catalogue_entry *entry, const char *key, const char *text)
{
	const char *said = json_text(entry->manifest, key);

	return said != NULL && strcmp(said, text) == 0;
}

static bool
was_made_within(
    const struct backup_word *word, const struct catalogue_entry *entry)
{
	const char *created = json_text(entry->manifest, "created_at");
	time_t when;

	if (word->end == 0)
		return true;
	return created != NULL && clock_parse(created, 0, &when) &&
	       when >= word->begin && when < word->end;
}

bool
backup_word_is_of(
    const struct backup_word *word, const struct catalogue_entry *entry)
{
	const char *subject = manifest_subject(entry->manifest);

	return subject != NULL && strcmp(subject, word->subject) == 0 &&
	       (word->project == NULL ||
		   has_text(entry, "project", word->project));
}

bool
backup_word_means(
    const struct backup_word *word, const struct catalogue_entry *entry)
{
	return backup_word_is_of(word, entry) && was_made_within(word, entry);
}

bool
backup_word_is_path(const char *text)
{
	struct stat found;

	return strcmp(text, "-") == 0 || text_starts_with(text, "/") ||
	       text_starts_with(text, "./") || text_starts_with(text, "../") ||
	       catalogue_is_archive_name(text) ||
	       (stat(text, &found) == 0 && !S_ISDIR(found.st_mode));
}

bool
backup_word_is_of_volume(const char *text)
{
	return !backup_word_is_path(text) && has_volume_form(text);
}
