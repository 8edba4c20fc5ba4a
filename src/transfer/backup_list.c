#include "transfer/backup_list.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/catalogue.h"
#include "store/record.h"
#include "transfer/backup_word.h"
#include "transfer/origin.h"

/* gpg's own "long" key id: fewer digits are no name of a key. */
#define RECIPIENT_DIGITS_MIN 16

/* One listing: the request as it is compared. */
struct listing {
	const struct backup_list_request *request;
	struct backup_word *words;
	json_t *backups;
};

/* What the file is, as far as can be told without reading it. */
static const char *
state_of(const struct catalogue_entry *entry)
{
	if (entry->problem != NULL)
		return N_("unreadable manifest");
	if (entry->missing)
		return N_("missing");
	if (entry->manifest == NULL)
		return N_("no manifest");
	return catalogue_entry_fits(entry) ? N_("present") : N_("wrong size");
}

static enum origin
presumed_origin(const struct catalogue_entry *entry)
{
	const char *sha256 = json_text(entry->manifest, "sha256");
	auto_json json_t *known = NULL;
	struct error ignored = {0};

	return sha256 != NULL && record_find(sha256, &known, &ignored) > 0
		   ? ORIGIN_THIS_HOST
		   : ORIGIN_UNKNOWN;
}

static bool
is_encrypted(const struct catalogue_entry *entry)
{
	if (entry->manifest == NULL)
		return text_ends_with(entry->path, ".gpg");
	return json_array_size(json_object_get(entry->manifest, "recipients")) >
	       0;
}

/* JSON holds UTF-8 only: any other name is escaped. */
static json_t *
path_text(const char *path)
{
	json_t *text = json_string(path);
	char escaped[4 * PATH_MAX];

	if (text == NULL)
		text = json_string(
		    text_escape(escaped, sizeof(escaped), path, strlen(path)));
	return text;
}

static json_t *
describe(const struct catalogue_entry *entry, struct error *err)
{
	json_t *object = json_pack("{s:o, s:s, s:I, s:b, s:s, s:O*, s:s*}",
	    "path", path_text(entry->path), "state", state_of(entry),
	    "size_bytes", (json_int_t)entry->size_bytes, "encrypted",
	    is_encrypted(entry), "origin", origin_name(presumed_origin(entry)),
	    "manifest", entry->manifest, "problem", entry->problem);

	if (object == NULL)
		error_set_memory(err);
	return object;
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

static bool
is_wanted(const struct listing *listing, const struct catalogue_entry *entry)
{
	const struct backup_list_request *request = listing->request;
	const char *project = json_text(entry->manifest, "project");

	if (request->recipient != NULL && !is_for(entry, request->recipient))
		return false;
	if (request->project != NULL &&
	    (project == NULL || strcmp(project, request->project) != 0))
		return false;
	for (size_t i = 0; i < request->word_count; i++) {
		if (backup_word_means(&listing->words[i], entry))
			return true;
	}
	return request->word_count == 0;
}

static int
check_recipient(const char *recipient, struct error *err)
{
	size_t digits = recipient != NULL
			    ? strspn(recipient, "0123456789abcdefABCDEF")
			    : RECIPIENT_DIGITS_MIN;

	if (digits >= RECIPIENT_DIGITS_MIN &&
	    (recipient == NULL || recipient[digits] == '\0'))
		return 0;
	error_set(
	    err, ERROR_USAGE, _("'%s' is not a key's fingerprint"), recipient);
	return error_hint_command(
	    err, "gpg", "--list-keys", "--with-colons", recipient, NULL);
}

static int
collect(struct listing *listing, const struct catalogue *catalogue,
    struct error *err)
{
	for (size_t i = 0; i < catalogue->count; i++) {
		const struct catalogue_entry *entry = &catalogue->entries[i];
		json_t *object;

		if (!is_wanted(listing, entry))
			continue;
		object = describe(entry, err);
		if (object == NULL)
			return -1;
		if (json_array_append_new(listing->backups, object) < 0)
			return error_set_memory(err);
	}
	return 0;
}

static int
read_and_collect(struct listing *listing, struct error *err)
{
	const struct backup_list_request *request = listing->request;
	const char *from =
	    request->from != NULL ? request->from : BACKUP_DIRECTORY;
	auto_catalogue struct catalogue catalogue = {0};

	for (size_t i = 0; i < request->word_count; i++) {
		if (backup_word_parse(
			request->words[i], &listing->words[i], err) < 0)
			return -1;
	}
	if (catalogue_read(from, &catalogue, err) < 0 ||
	    collect(listing, &catalogue, err) < 0)
		return -1;
	if (json_array_size(listing->backups) > 0)
		return 0;
	return error_set(err, ERROR_NOT_FOUND,
	    catalogue.count == 0 ? _("'%s' holds no backup")
				 : _("'%s' holds no such backup"),
	    from);
}

int
backup_list(const struct backup_list_request *request, json_t **ret_backups,
    struct error *err)
{
	struct listing listing = {.request = request};
	int result;

	if (check_recipient(request->recipient, err) < 0)
		return -1;
	listing.words = calloc(request->word_count + 1, sizeof(*listing.words));
	listing.backups = json_array();
	if (listing.words == NULL || listing.backups == NULL)
		result = error_set_memory(err);
	else
		result = read_and_collect(&listing, err);

	for (size_t i = 0; listing.words != NULL && i < request->word_count;
	     i++)
		backup_word_clear(&listing.words[i]);
	free(listing.words);
	if (result == 0)
		*ret_backups = listing.backups;
	else
		json_decref(listing.backups);
	return result;
}

/* A word of the manifest's that may stand in a command: no option, and nothing
 * that a terminal acts on. */
static const char *
plain_word(
    const struct catalogue_entry *entry, const char *key, const char *otherwise)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.";
	const char *word = json_text(entry->manifest, key);

	return word != NULL && *word != '\0' && *word != '-' &&
		       word[strspn(word, plain)] == '\0'
		   ? word
		   : otherwise;
}

/* gpg and the daemon's own client; the daemon tells gzip and zstd itself. */
static json_t *
restore_commands(const struct catalogue_entry *entry, struct error *err)
{
	const char *name = plain_word(entry, "instance", "NAME");
	const char *project = plain_word(entry, "project", "default");
	auto_free char *file = text_format(err, "%s%s",
	    text_starts_with(entry->path, "-") ? "./" : "", entry->path);
	auto_free char *path =
	    file != NULL ? text_shell_quote(file, err) : NULL;
	auto_free char *command = NULL;

	if (path == NULL)
		return NULL;
	if (is_encrypted(entry))
		command = text_format(err,
		    "gpg --decrypt %s | incus import - %s --project %s", path,
		    name, project);
	else
		command = text_format(err, "incus import %s %s --project %s",
		    path, name, project);
	return command != NULL ? json_pack("[o]", path_text(command)) : NULL;
}

static int
show_entry(
    const struct catalogue_entry *entry, json_t **ret_backup, struct error *err)
{
	auto_json json_t *object = describe(entry, err);
	json_t *commands;

	if (object == NULL)
		return -1;
	commands = restore_commands(entry, err);
	if (commands == NULL)
		return error_is_set(err) ? -1 : error_set_memory(err);
	if (json_object_set_new(object, "restore_commands", commands) < 0)
		return error_set_memory(err);
	*ret_backup = steal(object);
	return 0;
}

int
backup_show(const struct backup_show_request *request,
    const struct watch *watch, json_t **ret_backup, struct error *err)
{
	struct backup_search search = {request->from, request->project};
	auto_free char *path = NULL;
	struct catalogue_entry entry = {0};
	int result;

	if (backup_word_find(request->backup, &search, watch, &path, err) < 0)
		return -1;
	result = catalogue_load(path, &entry, err);
	if (result == 0)
		result = show_entry(&entry, ret_backup, err);
	catalogue_entry_clear(&entry);
	return result;
}
