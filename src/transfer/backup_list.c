#include "transfer/backup_list.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/catalogue.h"
#include "store/manifest.h"
#include "store/subject.h"
#include "transfer/attached_volumes.h"
#include "transfer/backup_filter.h"
#include "transfer/backup_state.h"
#include "transfer/backup_word.h"
#include "transfer/origin.h"

static bool
is_encrypted(const struct catalogue_entry *entry)
{
	if (entry->manifest == NULL)
		return text_ends_with(entry->path, ".gpg");
	return json_array_size(json_object_get(entry->manifest, "recipients")) >
	       0;
}

static json_t *
describe(const struct catalogue_entry *entry, struct error *err)
{
	auto_json json_t *proofs = backup_proofs(entry, err);
	char origin[ORIGIN_TEXT_BYTES];
	json_t *object;

	if (proofs == NULL)
		return NULL;
	(void)origin_presumed(entry->path, entry->manifest, origin);
	object = json_pack("{s:o, s:s, s:I, s:b, s:s, s:O, s:O*, s:s*}", "path",
	    json_string_escaped(entry->path), "state",
	    backup_state(entry, proofs), "size_bytes",
	    (json_int_t)entry->size_bytes, "encrypted", is_encrypted(entry),
	    "origin", origin, "proofs", proofs, "manifest", entry->manifest,
	    "problem", entry->problem);
	if (object == NULL)
		error_set_memory(err);
	return object;
}

static int
collect(const struct catalogue *catalogue, const struct backup_filter *filter,
    json_t *backups, struct error *err)
{
	for (size_t i = 0; i < catalogue->count; i++) {
		const struct catalogue_entry *entry = &catalogue->entries[i];
		json_t *object;

		if (!backup_filter_takes(filter, entry))
			continue;
		object = describe(entry, err);
		if (object == NULL)
			return -1;
		if (json_array_append_new(backups, object) < 0)
			return error_set_memory(err);
	}
	return 0;
}

int
backup_list(const struct backup_list_request *request, json_t **ret_backups,
    struct error *err)
{
	const char *from =
	    request->from != NULL ? request->from : BACKUP_DIRECTORY;
	auto_backup_filter struct backup_filter filter = {
	    .project = request->project};
	auto_catalogue struct catalogue catalogue = {0};
	auto_json json_t *backups = json_array();

	if (backups == NULL)
		return error_set_memory(err);
	if (backup_filter_add_words(
		&filter, request->words, request->word_count, err) < 0 ||
	    backup_filter_set_recipient(&filter, request->recipient, err) < 0 ||
	    catalogue_read(from, &catalogue, err) < 0 ||
	    collect(&catalogue, &filter, backups, err) < 0)
		return -1;
	if (json_array_size(backups) == 0)
		return error_set(err, ERROR_NOT_FOUND,
		    catalogue.count == 0 ? _("'%s' holds no backup")
					 : _("'%s' holds no such backup"),
		    from);
	*ret_backups = steal(backups);
	return 0;
}

/* A word of the manifest's that may stand in a command: no option, and nothing
 * that a terminal acts on. */
static const char *
plain_word(const char *word, const char *otherwise)
{
	return word != NULL && text_is_plain_word(word) ? word : otherwise;
}

/* `from` is a path, quoted, or NULL for what gpg gives. */
static char *
import_command(const json_t *manifest, const char *from, struct error *err)
{
	const char *subject = manifest_subject(manifest);
	const char *project =
	    plain_word(json_text(manifest, "project"), "default");
	auto_free char *pool = NULL;

	if (subject == NULL || !subject_is_volume(subject))
		return text_format(err, "incus import %s %s --project %s",
		    from != NULL ? from : "-", plain_word(subject, "NAME"),
		    project);
	pool = subject_pool(subject, err);
	if (pool == NULL)
		return NULL;
	/* The client of 7.0.2 takes "-" here, that of 6.0.4 does not; both take
	 * this, from a pipe, too. */
	return text_format(err,
	    "incus storage volume import %s %s %s --project %s",
	    plain_word(pool, "POOL"), from != NULL ? from : "/dev/stdin",
	    plain_word(subject_volume(subject), "NAME"), project);
}

/* gpg and the daemon's own client; the daemon tells gzip and zstd itself. */
static int
add_command(
    json_t *commands, const struct catalogue_entry *entry, struct error *err)
{
	auto_free char *file = text_format(err, "%s%s",
	    text_starts_with(entry->path, "-") ? "./" : "", entry->path);
	auto_free char *path =
	    file != NULL ? text_shell_quote(file, err) : NULL;
	bool encrypted = is_encrypted(entry);
	auto_free char *import = NULL;
	auto_free char *command = NULL;

	if (path == NULL)
		return -1;
	import = import_command(entry->manifest, encrypted ? NULL : path, err);
	if (import == NULL)
		return -1;
	command = encrypted
		      ? text_format(err, "gpg --decrypt %s | %s", path, import)
		      : text_format(err, "%s", import);
	if (command == NULL)
		return -1;
	return json_array_append_new(commands, json_string_escaped(command)) < 0
		   ? error_set_memory(err)
		   : 0;
}

/* One that is attached to it, where its archive is there. */
static int
add_volume(json_t *commands, const struct catalogue_entry *entry,
    const json_t *volume, struct error *err)
{
	auto_free char *path =
	    attached_volume_archive(volume, entry->path, err);
	struct catalogue_entry archive = {0};
	int result;

	if (path == NULL)
		return error_is_set(err) ? -1 : 0;
	result = catalogue_load(path, &archive, err);
	if (result == 0)
		result = add_command(commands, &archive, err);
	catalogue_entry_clear(&archive);
	return result;
}

/* Volumes first: the daemon looks for them. */
static json_t *
restore_commands(const struct catalogue_entry *entry, struct error *err)
{
	auto_json json_t *commands = json_array();
	const json_t *volume;
	size_t i;

	if (commands == NULL) {
		error_set_memory(err);
		return NULL;
	}
	json_array_foreach(
	    json_object_get(entry->manifest, "volumes"), i, volume)
	{
		if (add_volume(commands, entry, volume, err) < 0)
			return NULL;
	}
	return add_command(commands, entry, err) == 0 ? steal(commands) : NULL;
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
