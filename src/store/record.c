#include "store/record.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/text.h"
#include "store/small_file.h"
#include "store/state.h"

/* One entry; ours have 0.5 KiB. */
#define ENTRY_MAX_BYTES (64 * 1024)

/* SHA-256 in hexadecimal. */
#define DIGEST_LENGTH 64

bool
record_is_digest(const char *text)
{
	return text != NULL && strlen(text) == DIGEST_LENGTH &&
	       strspn(text, "0123456789abcdef") == DIGEST_LENGTH;
}

int
record_add(const json_t *entry, struct error *err)
{
	auto_free char *directory = state_host_directory("record", err);
	auto_free char *name = NULL;
	auto_free char *text = NULL;
	const char *sha256 = json_text(entry, "sha256");

	if (directory == NULL)
		return -1;
	/* Everyone may read whose backups these are, as with dpkg's state. */
	if (state_make_directories(directory, 0755, err) < 0)
		return -1;
	name = text_format(err, "%s.json", sha256 != NULL ? sha256 : "");
	text = name != NULL ? json_print(entry, true, err) : NULL;
	if (text == NULL)
		return -1;
	return small_file_publish(directory, name, text, 0644, true, err);
}

/* Read one entry file: 1, 0, or -1; one that is not an entry counts as 0. */
static int
load_entry(const char *directory, const char *name, json_t **ret_entry,
    struct error *err)
{
	auto_free char *path = text_format(err, "%s/%s", directory, name);
	auto_free char *text = NULL;
	size_t size = 0;
	int found;

	if (path == NULL)
		return -1;
	found = small_file_read(path, ENTRY_MAX_BYTES, &text, &size, err);
	if (found <= 0)
		return found;
	*ret_entry = json_parse(text, size, path, err);
	return *ret_entry != NULL ? 1 : -1;
}

int
record_find(const char *sha256, json_t **ret_entry, struct error *err)
{
	auto_free char *directory = NULL;
	auto_free char *name = NULL;

	/* The digest may be a stranger's text: it becomes a file name. */
	if (!record_is_digest(sha256))
		return 0;
	directory = state_host_directory("record", err);
	name = text_format(err, "%s.json", sha256);
	if (directory == NULL || name == NULL)
		return -1;
	return load_entry(directory, name, ret_entry, err);
}

int
record_find_size(uint64_t size_bytes, json_t **ret_entries, struct error *err)
{
	auto_free char *directory = state_host_directory("record", err);
	auto_json json_t *entries = json_array();
	auto_dir DIR *dir = NULL;
	const struct dirent *item;

	if (directory == NULL)
		return -1;
	if (entries == NULL)
		return error_set_memory(err);
	dir = opendir(directory);
	while (dir != NULL && (item = readdir(dir)) != NULL) {
		json_t *entry = NULL;
		struct error ignored = {0};

		/* A file that somebody else has put there lists nothing. */
		if (!text_ends_with(item->d_name, ".json") ||
		    load_entry(directory, item->d_name, &entry, &ignored) <= 0)
			continue;
		if ((uint64_t)json_number(entry, "size_bytes") != size_bytes)
			json_decref(entry);
		else if (json_array_append_new(entries, entry) < 0)
			return error_set_memory(err);
	}
	*ret_entries = steal(entries);
	return 0;
}
