#include "transfer/previous_backup.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/text.h"
#include "incus/backup_subject.h"
#include "incus/client.h"
#include "store/archive.h"
#include "store/manifest.h"

/* Manifests that are opened; the newest are looked at first, and only those of
 * a namesake are in vain. */
#define TRIES_MAX 16

#define MANIFEST_SUFFIX ".json"

/* The newest names, the newest last. */
struct names {
	size_t count;
	char *items[TRIES_MAX];
};

static void
names_clear(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
}

/* Names of one stem sort by their time (archive.h). */
static void
names_keep(struct names *names, const char *name)
{
	struct error ignored = {0};
	size_t at = names->count;
	char *copy;

	while (at > 0 && strcmp(names->items[at - 1], name) > 0)
		at--;
	if (names->count == TRIES_MAX && at == 0)
		return;
	copy = text_copy(name, strlen(name), &ignored);
	if (copy == NULL)
		return;
	if (names->count == TRIES_MAX) {
		free(names->items[0]);
		at--;
		memmove(
		    names->items, names->items + 1, at * sizeof(*names->items));
		names->items[at] = copy;
		return;
	}
	memmove(names->items + at + 1, names->items + at,
	    (names->count - at) * sizeof(*names->items));
	names->items[at] = copy;
	names->count++;
}

static void
read_names(const char *directory, const char *stem, struct names *names)
{
	auto_dir DIR *dir = opendir(directory);
	size_t length = strlen(stem);
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, stem, length) == 0 &&
		    entry->d_name[length] == '-' &&
		    text_ends_with(entry->d_name, MANIFEST_SUFFIX))
			names_keep(names, entry->d_name);
	}
}

static bool
is_of(const json_t *manifest, const struct incus_server *server,
    const char *project, const char *subject)
{
	const char *fingerprint =
	    json_text(json_object_get(manifest, "server"), "fingerprint");
	const char *its_project = json_text(manifest, "project");
	const char *its_subject = manifest_subject(manifest);

	return fingerprint != NULL && its_project != NULL &&
	       its_subject != NULL &&
	       strcmp(fingerprint, server->fingerprint) == 0 &&
	       strcmp(its_project, project) == 0 &&
	       strcmp(its_subject, subject) == 0;
}

char *
backup_stem(const struct backup_subject *of, struct error *err)
{
	return backup_subject_is_volume(of)
		   ? archive_volume_stem(of->pool, of->name, err)
		   : text_format(err, "%s", of->name);
}

int
previous_backup(const char *directory, const struct incus_server *server,
    const struct backup_subject *of, json_t **ret_manifest)
{
	struct error no_memory = {0};
	auto_free char *stem = backup_stem(of, &no_memory);
	auto_free char *subject = backup_subject_text(of, &no_memory);
	struct names names = {0};
	int found = 0;

	if (stem == NULL || subject == NULL)
		return 0;
	read_names(directory, stem, &names);
	for (size_t i = names.count; i > 0 && found == 0; i--) {
		struct error ignored = {0};
		auto_json json_t *manifest = NULL;
		auto_free char *path = text_format(&ignored, "%s/%.*s",
		    directory,
		    (int)(strlen(names.items[i - 1]) - strlen(MANIFEST_SUFFIX)),
		    names.items[i - 1]);

		if (path == NULL ||
		    manifest_load(path, &manifest, &ignored) <= 0 ||
		    !is_of(manifest, server, of->project, subject))
			continue;
		*ret_manifest = steal(manifest);
		found = 1;
	}
	names_clear(&names);
	return found;
}

unsigned int
previous_backup_shrinkage(const json_t *manifest, const json_t *before)
{
	json_int_t now = json_number(manifest, "tar_size_bytes");
	json_int_t then = json_number(before, "tar_size_bytes");

	/* Without snapshots is another backup. */
	if (then <= 0 || now >= then || now < 0 ||
	    json_flag(manifest, "instance_only") !=
		json_flag(before, "instance_only"))
		return 0;
	return (unsigned int)((then - now) / (then / 100 + 1));
}
