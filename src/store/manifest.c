#include "store/manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/small_file.h"
#include "store/subject.h"

void
manifest_files_clear(struct manifest_files *files)
{
	free(files->text);
	free(files->signature);
	*files = (struct manifest_files){0};
}

char *
manifest_print(const json_t *manifest, struct error *err)
{
	auto_free char *text = json_print(manifest, true, err);

	return text != NULL ? text_format(err, "%s\n", text) : NULL;
}

const char *
manifest_subject(const json_t *manifest)
{
	const char *instance = json_text(manifest, "instance");
	const char *volume = json_text(manifest, "volume");

	/* Anyone can write one: neither may pass for the other. */
	if (instance != NULL)
		return subject_is_volume(instance) ? NULL : instance;
	return volume != NULL && subject_fits_volume(volume) ? volume : NULL;
}

int
manifest_save(const char *directory, const char *archive,
    const struct manifest_files *files, bool force, struct error *err)
{
	auto_free char *name = text_format(err, "%s.json", archive);
	auto_free char *signature_name =
	    text_format(err, "%s.json.sig", archive);

	if (name == NULL || signature_name == NULL)
		return -1;
	if (files->signature != NULL &&
	    small_file_publish(directory, signature_name, files->signature,
		0600, force, err) < 0)
		return -1;
	return small_file_publish(
	    directory, name, files->text, 0600, force, err);
}

static int
remove_one(const char *directory, const char *archive, const char *suffix,
    struct error *err)
{
	auto_free char *path =
	    text_format(err, "%s/%s%s", directory, archive, suffix);

	if (path == NULL)
		return -1;
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set_errno(
		    err, errno, _("cannot remove '%s'"), path);
	return 0;
}

int
manifest_remove(const char *directory, const char *archive, struct error *err)
{
	/* What the signature is of goes first. */
	if (remove_one(directory, archive, ".json", err) < 0)
		return -1;
	return remove_one(directory, archive, ".json.sig", err);
}

int
manifest_read(const char *archive_path, struct manifest_files *ret_files,
    struct error *err)
{
	auto_free char *path = text_format(err, "%s.json", archive_path);
	auto_free char *signature_path =
	    text_format(err, "%s.json.sig", archive_path);
	auto_free char *text = NULL;
	auto_free char *signature = NULL;
	size_t size = 0;
	size_t signature_size = 0;
	int found;

	if (path == NULL || signature_path == NULL)
		return -1;
	found = small_file_read(path, MANIFEST_MAX_BYTES, &text, &size, err);
	if (found <= 0)
		return found;
	if (small_file_read(signature_path, MANIFEST_SIGNATURE_MAX_BYTES,
		&signature, &signature_size, err) < 0)
		return -1;
	*ret_files = (struct manifest_files){
	    .text = steal(text),
	    .size = size,
	    .signature = steal(signature),
	    .signature_size = signature_size,
	};
	return 1;
}

json_t *
manifest_parse(const char *archive_path, const struct manifest_files *files,
    struct error *err)
{
	auto_free char *path = text_format(err, "%s.json", archive_path);
	auto_free char *what =
	    path != NULL ? text_format(err, _("the manifest '%s'"), path)
			 : NULL;

	if (what == NULL)
		return NULL;
	return json_parse(files->text, files->size, what, err);
}

int
manifest_load(
    const char *archive_path, json_t **ret_manifest, struct error *err)
{
	auto_free char *path = text_format(err, "%s.json", archive_path);
	auto_manifest_files struct manifest_files files = {0};
	int found;

	if (path == NULL)
		return -1;
	found = small_file_read(
	    path, MANIFEST_MAX_BYTES, &files.text, &files.size, err);
	if (found <= 0)
		return found;
	*ret_manifest = manifest_parse(archive_path, &files, err);
	return *ret_manifest != NULL ? 1 : -1;
}
