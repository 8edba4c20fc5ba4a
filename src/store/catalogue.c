#include "store/catalogue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/manifest.h"
#include "store/subject.h"

#define MANIFEST_SUFFIX ".json"

/* A directory that holds more is not one of archives. */
#define ENTRIES_MAX 100000U

/* "DIR", and below it "DIR/<project>". */
#define DEPTH_MAX 1

struct reading {
	struct catalogue *catalogue;
	size_t room;
};

static int read_directory(struct reading *reading, const char *directory,
    int depth, struct error *err);

void
catalogue_entry_clear(struct catalogue_entry *entry)
{
	free(entry->path);
	free(entry->problem);
	json_decref(entry->manifest);
	*entry = (struct catalogue_entry){0};
}

void
catalogue_clear(struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->count; i++)
		catalogue_entry_clear(&catalogue->entries[i]);
	free(catalogue->entries);
	*catalogue = (struct catalogue){0};
}

bool
catalogue_entry_fits(const struct catalogue_entry *entry)
{
	return !entry->missing && entry->manifest != NULL &&
	       (uint64_t)json_number(entry->manifest, "size_bytes") ==
		   entry->size_bytes;
}

/* Take `suffix` off the first `length` bytes of a name. */
static bool
take_off(const char *name, size_t *length, const char *suffix)
{
	size_t size = strlen(suffix);

	if (*length <= size || memcmp(name + *length - size, suffix, size) != 0)
		return false;
	*length -= size;
	return true;
}

bool
catalogue_is_archive_name(const char *name)
{
	static const char *const packed[] = {
	    ".gz", ".zst", ".xz", ".bz2", ".lzma", ".lz4"};
	size_t length = strlen(name);

	(void)take_off(name, &length, ".gpg");
	if (take_off(name, &length, ".tgz"))
		return true;
	for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++) {
		if (take_off(name, &length, packed[i]))
			break;
	}
	return take_off(name, &length, ".tar");
}

static struct catalogue_entry *
new_entry(struct reading *reading, char *path, struct error *err)
{
	struct catalogue *catalogue = reading->catalogue;
	auto_free char *owned = path;

	if (owned == NULL)
		return NULL;
	if (catalogue->count == ENTRIES_MAX) {
		error_set(err, ERROR_FAILED,
		    _("there are more than %u archives around '%s'"),
		    ENTRIES_MAX, path);
		return NULL;
	}
	if (catalogue->count == reading->room) {
		size_t room = reading->room > 0 ? 2 * reading->room : 64;
		struct catalogue_entry *grown = reallocarray(
		    catalogue->entries, room, sizeof(*catalogue->entries));

		if (grown == NULL) {
			error_set_memory(err);
			return NULL;
		}
		catalogue->entries = grown;
		reading->room = room;
	}
	catalogue->entries[catalogue->count] =
	    (struct catalogue_entry){.path = steal(owned)};
	return &catalogue->entries[catalogue->count++];
}

/* A manifest that cannot be read is the archive's problem, not the list's. */
static int
load_manifest(struct catalogue_entry *entry, struct error *err)
{
	struct error problem = {0};

	if (manifest_load(entry->path, &entry->manifest, &problem) >= 0)
		return 0;
	entry->problem = text_copy(problem.text, strlen(problem.text), err);
	return entry->problem != NULL ? 0 : -1;
}

static int
add_archive(struct reading *reading, char *path, const struct stat *found,
    struct error *err)
{
	struct catalogue_entry *entry = new_entry(reading, path, err);

	if (entry == NULL)
		return -1;
	entry->size_bytes = (uint64_t)found->st_size;
	return load_manifest(entry, err);
}

/* A manifest alone says what there was. */
static int
add_missing(
    struct reading *reading, const char *path, int at, struct error *err)
{
	auto_free char *archive =
	    text_copy(path, strlen(path) - strlen(MANIFEST_SUFFIX), err);
	const char *slash = archive != NULL ? strrchr(archive, '/') : NULL;
	struct catalogue_entry *entry;
	struct stat found;

	if (archive == NULL)
		return -1;
	if (fstatat(at, slash != NULL ? slash + 1 : archive, &found, 0) == 0)
		return 0;
	entry = new_entry(reading, steal(archive), err);
	if (entry == NULL)
		return -1;
	entry->missing = true;
	return load_manifest(entry, err);
}

static bool
is_manifest_name(const char *name)
{
	size_t length = strlen(name);
	char archive[NAME_MAX + 1];

	if (!take_off(name, &length, MANIFEST_SUFFIX) || length > NAME_MAX)
		return false;
	(void)snprintf(archive, sizeof(archive), "%.*s", (int)length, name);
	return catalogue_is_archive_name(archive);
}

static int
take_name(struct reading *reading, const char *directory, int at,
    const char *name, int depth, struct error *err)
{
	auto_free char *path = text_format(err, "%s%s%s", directory,
	    text_ends_with(directory, "/") ? "" : "/", name);
	struct stat found;

	if (path == NULL)
		return -1;
	if (is_manifest_name(name))
		return add_missing(reading, path, at, err);
	/* What has gone meanwhile is not there. */
	if (fstatat(at, name, &found, 0) < 0)
		return 0;
	if (S_ISREG(found.st_mode) && catalogue_is_archive_name(name))
		return add_archive(reading, steal(path), &found, err);
	if (depth == DEPTH_MAX || !S_ISDIR(found.st_mode) ||
	    fstatat(at, name, &found, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(found.st_mode))
		return 0;
	return read_directory(reading, path, depth + 1, err);
}

static int
read_directory(struct reading *reading, const char *directory, int depth,
    struct error *err)
{
	auto_dir DIR *dir = opendir(directory);
	const struct dirent *item;

	if (dir == NULL && errno == ENOENT)
		return error_set(err, ERROR_NO_DIRECTORY,
		    _("the directory '%s' does not exist"), directory);
	if (dir == NULL && errno == ENOTDIR)
		return error_set(err, ERROR_NO_DIRECTORY,
		    _("'%s' is not a directory"), directory);
	if (dir == NULL)
		return error_set_errno(
		    err, errno, _("cannot open '%s'"), directory);
	while ((errno = 0, item = readdir(dir)) != NULL) {
		if (item->d_name[0] != '.' &&
		    take_name(reading, directory, dirfd(dir), item->d_name,
			depth, err) < 0)
			return -1;
	}
	if (errno != 0)
		return error_set_errno(
		    err, errno, _("cannot list '%s'"), directory);
	return 0;
}

static int
compare_texts(const json_t *a, const json_t *b, const char *key)
{
	const char *left = json_text(a, key);
	const char *right = json_text(b, key);

	return strcmp(left != NULL ? left : "", right != NULL ? right : "");
}

static int
compare_subjects(const json_t *a, const json_t *b)
{
	const char *left = manifest_subject(a);
	const char *right = manifest_subject(b);

	return subject_compare(
	    left != NULL ? left : "", right != NULL ? right : "");
}

static int
compare(const void *left, const void *right)
{
	const struct catalogue_entry *a = left;
	const struct catalogue_entry *b = right;
	int order = (a->manifest == NULL) - (b->manifest == NULL);

	if (order == 0)
		order = compare_texts(a->manifest, b->manifest, "project");
	if (order == 0)
		order = compare_subjects(a->manifest, b->manifest);
	if (order == 0)
		order = compare_texts(b->manifest, a->manifest, "created_at");
	return order != 0 ? order : strcmp(a->path, b->path);
}

int
catalogue_read(
    const char *directory, struct catalogue *ret_catalogue, struct error *err)
{
	auto_catalogue struct catalogue catalogue = {0};
	struct reading reading = {.catalogue = &catalogue};

	if (read_directory(&reading, directory, 0, err) < 0)
		return -1;
	if (catalogue.count > 0)
		qsort(catalogue.entries, catalogue.count,
		    sizeof(*catalogue.entries), compare);
	*ret_catalogue = catalogue;
	catalogue = (struct catalogue){0};
	return 0;
}

int
catalogue_load(
    const char *path, struct catalogue_entry *ret_entry, struct error *err)
{
	struct catalogue_entry entry = {0};
	struct stat found;

	if (stat(path, &found) < 0)
		return error_set_errno(err, errno, _("cannot open '%s'"), path);
	if (!S_ISREG(found.st_mode))
		return error_set(
		    err, ERROR_FAILED, _("'%s' is not a regular file"), path);
	entry.size_bytes = (uint64_t)found.st_size;
	entry.path = text_copy(path, strlen(path), err);
	if (entry.path == NULL || load_manifest(&entry, err) < 0) {
		catalogue_entry_clear(&entry);
		return -1;
	}
	*ret_entry = entry;
	return 0;
}
