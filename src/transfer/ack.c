#include "transfer/ack.h"

#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "store/catalogue.h"
#include "store/proof.h"
#include "transfer/backup_filter.h"
#include "transfer/backup_group.h"
#include "transfer/backup_word.h"

static int
accept(const struct catalogue_entry *entry, struct error *err)
{
	char now[CLOCK_TEXT_BYTES];
	auto_json json_t *proof =
	    json_pack("{s:s}", "at", clock_utc(now, time(NULL)));

	if (proof == NULL)
		return error_set_memory(err);
	return proof_keep(
	    json_text(entry->manifest, "sha256"), PROOF_ACCEPTED, proof, err);
}

int
backup_ack(
    const struct ack_request *request, json_t **ret_paths, struct error *err)
{
	const char *from =
	    request->from != NULL ? request->from : BACKUP_DIRECTORY;
	auto_backup_filter struct backup_filter filter = {
	    .project = request->project};
	auto_catalogue struct catalogue catalogue = {0};
	auto_json json_t *paths = json_array();

	if (backup_filter_add_words(
		&filter, request->words, request->word_count, err) < 0 ||
	    catalogue_read(from, &catalogue, err) < 0)
		return -1;
	for (size_t i = 0; i < catalogue.count; i++) {
		const struct catalogue_entry *entry = &catalogue.entries[i];

		if (!backup_filter_takes(&filter, entry) ||
		    !backup_group_shrank(entry))
			continue;
		if (!request->dry_run && accept(entry, err) < 0)
			return -1;
		if (json_array_append_new(
			paths, json_string_escaped(entry->path)) < 0)
			return error_set_memory(err);
	}
	if (json_array_size(paths) == 0)
		return error_set(err, ERROR_NOT_FOUND,
		    _("none of these backups has shrunk"));
	*ret_paths = json_incref(paths);
	return 0;
}
