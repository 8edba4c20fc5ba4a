#include "transfer/backup_filter.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/i18n.h"
#include "store/catalogue.h"
#include "store/manifest.h"
#include "store/subject.h"
#include "transfer/backup_word.h"

/* gpg's own "long" key id: fewer digits are no name of a key. */
#define RECIPIENT_DIGITS_MIN 16

void
backup_filter_clear(struct backup_filter *filter)
{
	for (size_t i = 0; i < filter->count; i++)
		backup_word_clear(&filter->words[i]);
	free(filter->words);
	*filter = (struct backup_filter){0};
}

int
backup_filter_add_words(struct backup_filter *filter, const char *const *words,
    size_t count, struct error *err)
{
	filter->words = calloc(count + 1, sizeof(*filter->words));
	if (filter->words == NULL)
		return error_set_memory(err);
	for (; filter->count < count; filter->count++) {
		if (backup_word_parse(words[filter->count],
			&filter->words[filter->count], err) < 0)
			return -1;
	}
	return 0;
}

int
backup_filter_set_recipient(
    struct backup_filter *filter, const char *recipient, struct error *err)
{
	size_t digits;

	if (recipient == NULL)
		return 0;
	digits = strspn(recipient, "0123456789abcdefABCDEF");
	if (digits < RECIPIENT_DIGITS_MIN || recipient[digits] != '\0') {
		error_set(err, ERROR_USAGE,
		    _("'%s' is not a key's fingerprint"), recipient);
		return error_hint_command(err, "gpg", "--list-keys",
		    "--with-colons", recipient, NULL);
	}
	filter->recipient = recipient;
	return 0;
}

static bool
is_for(const struct catalogue_entry *entry, const char *recipient)
{
	const json_t *all = json_object_get(entry->manifest, "recipients");
	size_t digits = strlen(recipient);
	const json_t *one;
	size_t i;

	json_array_foreach(all, i, one)
	{
		const char *key = json_string_value(one);
		size_t length = json_string_length(one);

		if (key != NULL && length >= digits &&
		    strcasecmp(key + length - digits, recipient) == 0)
			return true;
	}
	return false;
}

bool
backup_filter_takes(
    const struct backup_filter *filter, const struct catalogue_entry *entry)
{
	const char *project = json_text(entry->manifest, "project");
	const char *subject = manifest_subject(entry->manifest);

	if (filter->instances_only && subject != NULL &&
	    subject_is_volume(subject))
		return false;
	if (filter->recipient != NULL && !is_for(entry, filter->recipient))
		return false;
	if (filter->project != NULL &&
	    (project == NULL || strcmp(project, filter->project) != 0))
		return false;
	for (size_t i = 0; i < filter->count; i++) {
		if (backup_word_means(&filter->words[i], entry))
			return true;
	}
	return filter->count == 0;
}
