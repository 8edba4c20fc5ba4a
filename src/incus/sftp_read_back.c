#include "incus/sftp_read_back.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/sftp_load.h"
#include "incus/sftp_session.h"
#include "stream/file_batch.h"

/* The same file, to be loaded from where it lies now. */
static int
add(struct file_batch *again, const struct batch_file *file, const char *path,
    struct error *err)
{
	struct batch_file *copy =
	    file_batch_add(again, text_copy(path, strlen(path), err),
		text_copy(file->to, strlen(file->to), err), file->size_bytes);

	if (copy == NULL)
		return -1;
	copy->facts = file->facts;
	copy->facts.size_bytes = file->size_bytes;
	return 0;
}

static void
compare(const struct sftp_session *session, struct batch_file *file,
    const struct batch_file *copy)
{
	if (error_is_set(&copy->failure))
		file->failure = copy->failure;
	else if (copy->size_bytes != file->size_bytes ||
		 memcmp(copy->content, file->content, file->size_bytes) != 0)
		error_set(&file->failure, ERROR_DAMAGED,
		    _("'%s%s': what was read back is not what was written"),
		    sftp_session_name(session), file->to);
}

static int
load(struct sftp_session *session, struct file_batch *again, struct error *err)
{
	struct sftp_load *load = sftp_load_begin(session, again, err);
	int result = load != NULL ? 1 : -1;

	while (result > 0)
		result = sftp_load_go_on(load, err);
	sftp_load_free(load);
	return result;
}

static bool
is_due(const struct batch_file *file)
{
	return file->verify && batch_file_is_wanted(file);
}

static int
read_back(struct sftp_session *session, struct file_batch *written,
    struct file_batch *again, char *const *paths, struct error *err)
{
	const struct batch_file *copy = again->files;

	for (size_t i = 0; i < written->count; i++) {
		if (is_due(&written->files[i]) &&
		    add(again, &written->files[i], paths[i], err) < 0)
			return -1;
	}
	if (again->count == 0)
		return 0;
	if (load(session, again, err) < 0)
		return -1;
	for (size_t i = 0; i < written->count; i++) {
		if (is_due(&written->files[i]))
			compare(session, &written->files[i], copy++);
	}
	return 0;
}

int
sftp_read_back(struct sftp_session *session, struct file_batch *written,
    char *const *paths, struct error *err)
{
	struct file_batch *again = file_batch_new(err);
	int result;

	if (again == NULL)
		return -1;
	result = read_back(session, written, again, paths, err);
	file_batch_free(again);
	return result;
}
