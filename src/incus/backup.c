#include "incus/backup.h"

#include "base/auto.h"
#include "incus/backup_request.h"
#include "incus/client.h"
#include "incus/http.h"
#include "incus/spooled_export.h"
#include "stream/stream.h"

/* A direct export is a plain tar: the daemon's compressors are single
 * processes, ours run beside gpg. */
#define DIRECT_COMPRESSION "none"

/* POST, and the reply's body is the tar. */
static struct stream *
open_direct(struct incus_client *client, const struct backup_subject *of,
    const struct backup_options *options, struct error *err)
{
	/* The daemon compares the whole header (incus, instance_backup.go). */
	static const char *const headers[] = {
	    "Accept: application/octet-stream", NULL};
	auto_free char *path =
	    backup_subject_path(of, "backups", NULL, NULL, err);
	auto_json json_t *body =
	    backup_request_body(of, options, DIRECT_COMPRESSION, NULL);
	auto_free char *text = json_print(body, false, err);
	auto_reply struct http_reply reply = {0};
	struct http_request request = {
	    .method = "POST", .path = path, .body = text, .headers = headers};
	struct stream *stream = NULL;

	if (path == NULL || text == NULL)
		return NULL;
	if (http_download(incus_client_http(client), &request, &stream, &reply,
		err) < 0 ||
	    stream != NULL)
		return stream;
	(void)backup_request_refused(&reply, err);
	return NULL;
}

struct stream *
incus_backup_open(struct incus_client *client, const struct backup_subject *of,
    const struct backup_options *options, bool *ret_spooled, struct error *err)
{
	int direct = incus_client_supports(client, "direct_backup", err);

	if (direct < 0)
		return NULL;
	*ret_spooled = direct == 0;
	if (direct > 0)
		return open_direct(client, of, options, err);
	return spooled_export_new(client, of, options, err);
}
