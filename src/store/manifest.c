#include "store/manifest.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/small_file.h"

int
manifest_save(const char *directory, const char *archive,
    const json_t *manifest, bool force, struct error *err)
{
	auto_free char *name = text_format(err, "%s.json", archive);
	auto_free char *text = NULL;

	if (name == NULL)
		return -1;
	text = json_print(manifest, true, err);
	if (text == NULL)
		return -1;
	return small_file_publish(directory, name, text, 0600, force, err);
}

int
manifest_remove(const char *directory, const char *archive, struct error *err)
{
	auto_free char *path =
	    text_format(err, "%s/%s.json", directory, archive);

	if (path == NULL)
		return -1;
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set_errno(
		    err, errno, _("cannot remove '%s'"), path);
	return 0;
}

int
manifest_load(
    const char *archive_path, json_t **ret_manifest, struct error *err)
{
	auto_free char *path = text_format(err, "%s.json", archive_path);
	auto_free char *text = NULL;
	auto_free char *what = NULL;
	size_t size = 0;
	int found;

	if (path == NULL)
		return -1;
	found = small_file_read(path, MANIFEST_MAX_BYTES, &text, &size, err);
	if (found <= 0)
		return found;
	what = text_format(err, _("the manifest '%s'"), path);
	if (what == NULL)
		return -1;
	*ret_manifest = json_parse(text, size, what, err);
	return *ret_manifest != NULL ? 1 : -1;
}
