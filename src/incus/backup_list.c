#include "incus/backup.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "incus/operation.h"

/* The prefix and so many digits, and nothing else. */
static bool
is_ours(const char *name)
{
	size_t prefix = strlen(BACKUP_NAME_PREFIX);

	return name != NULL && text_starts_with(name, BACKUP_NAME_PREFIX) &&
	       strlen(name) == prefix + BACKUP_NAME_DIGITS &&
	       strspn(name + prefix, "0123456789abcdef") == BACKUP_NAME_DIGITS;
}

int
incus_backup_list(struct incus_client *client, const struct backup_subject *of,
    json_t **ret_exports, struct error *err)
{
	auto_free char *path =
	    backup_subject_path(of, "backups", NULL, NULL, err);
	auto_free char *whole =
	    path != NULL ? text_format(err, "%s&recursion=1", path) : NULL;
	auto_json json_t *all = NULL;
	auto_json json_t *ours = json_array();
	json_t *one;
	size_t i;

	if (whole == NULL || incus_get(client, whole, &all, err) < 0)
		return -1;
	json_array_foreach(all, i, one)
	{
		if (is_ours(json_text(one, "name")))
			(void)json_array_append(ours, one);
	}
	*ret_exports = steal(ours);
	return 0;
}

int
incus_backup_delete(struct incus_client *client,
    const struct backup_subject *of, const char *name, struct error *err)
{
	auto_free char *path =
	    backup_subject_path(of, "backups", name, NULL, err);

	if (path == NULL)
		return -1;
	if (operation_run(client, "DELETE", path, NULL, err) == 0)
		return 0;
	if (err->code != ERROR_NOT_FOUND)
		return -1;
	error_clear(err);
	return 0;
}
