#include "incus/backup.h"

#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/http.h"
#include "incus/instance.h"
#include "incus/operation.h"
#include "incus/volume.h"
#include "stream/stream.h"

/* Whoever interrupts does not want what is made of it; the daemon cannot be
 * stopped, so wait for it and take it away. */
static void
undo(struct incus_client *client, const struct backup_subject *made,
    struct operation *operation, struct error *err)
{
	struct error failure = {0};

	interrupt_shield_up();
	if (operation_wait(client, operation, false, &failure) < 0)
		error_clear(&failure);
	else if (backup_subject_is_volume(made))
		incus_volume_discard(client, made, err);
	else
		incus_instance_discard(client, made->project, made->name, err);
	interrupt_shield_down();
}

/* Upload to `path`; `headers` ends with NULL. */
static int
import(struct incus_client *client, const struct backup_subject *made,
    const char *path, const char *const *headers, struct stream *body,
    struct error *err)
{
	auto_reply struct http_reply reply = {0};
	auto_operation struct operation operation = {0};
	bool whole = false;
	struct http_request post = {
	    .method = "POST", .path = path, .headers = headers};

	if (http_upload(incus_client_http(client), &post, body, &reply, &whole,
		err) < 0)
		return whole ? error_hint(err,
				   _("the upload was complete: '%s/%s' may "
				     "still appear"),
				   made->project, made->name)
			     : -1;
	if (operation_from_reply(&reply, &operation, err) < 0)
		return -1;
	if (operation_wait(client, &operation, false, err) == 0)
		return 0;
	if (err->code == ERROR_INTERRUPTED || err->code == ERROR_TERMINATED)
		undo(client, made, &operation, err);
	return -1;
}

int
incus_backup_import(struct incus_client *client,
    const struct import_request *request, struct stream *body,
    struct error *err)
{
	const struct backup_subject made = {
	    .project = request->project, .name = request->name};
	auto_free char *path =
	    incus_path(err, request->project, "instances", NULL);
	auto_free char *name =
	    text_format(err, "X-Incus-name: %s", request->name);
	auto_free char *pool = text_format(err, "X-Incus-pool: %s",
	    request->pool != NULL ? request->pool : "");
	const char *headers[4] = {
	    "Content-Type: application/octet-stream", name};

	if (path == NULL || name == NULL || pool == NULL)
		return -1;
	if (request->pool != NULL)
		headers[2] = pool;
	return import(client, &made, path, headers, body, err);
}

int
incus_backup_import_volume(struct incus_client *client,
    const struct backup_subject *volume, struct stream *body, struct error *err)
{
	auto_free char *path = incus_path(err, volume->project, "storage-pools",
	    volume->pool, "volumes", "custom", NULL);
	auto_free char *name =
	    text_format(err, "X-Incus-name: %s", volume->name);
	const char *const headers[] = {
	    "Content-Type: application/octet-stream", name, NULL};

	if (path == NULL || name == NULL)
		return -1;
	return import(client, volume, path, headers, body, err);
}
