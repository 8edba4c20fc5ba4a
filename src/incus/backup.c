#include "incus/backup.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/http.h"
#include "incus/instance.h"
#include "incus/operation.h"
#include "stream/compression.h"
#include "stream/peek.h"
#include "stream/stream.h"

/* A direct export is a plain tar: the daemon's compressors are single
 * processes, ours run beside gpg.
 *
 * A spooled one must be compressed: without a compressor, a spool that is full
 * leaves the daemon's operation running for ever (seen on 6.0.4); with one it
 * fails. zstd -1 takes no longer than none (1.0 s for 204 MB
 * against 1.4, 6.0.4) and halves the spool; gzip is there where zstd is not. */
#define DIRECT_COMPRESSION "none"
static const char *const spool_compressions[] = {"zstd -1", "gzip -1"};

/* How the daemon says that it lacks a compressor (Go, os/exec). */
#define COMPRESSOR_MISSING "executable file not found"

/* A direct export must have no name: NULL. */
static json_t *
backup_body(const struct backup_subject *of,
    const struct backup_options *options, const char *compression,
    const char *name)
{
	char expires[CLOCK_TEXT_BYTES];

	/* "instance_only", or of a volume "volume_only". */
	return json_pack("{s:s, s:b, s:b, s:s, s:s*}", "compression_algorithm",
	    compression,
	    backup_subject_is_volume(of) ? "volume_only" : "instance_only",
	    options->instance_only, "optimized_storage", 0, "expires_at",
	    clock_utc(expires, time(NULL) + BACKUP_EXPIRY_S), "name", name);
}

/* A refusal, in the daemon's words; a success that brings no tar is none. */
static void
refuse_reply(const struct http_reply *reply, struct error *err)
{
	auto_json json_t *envelope = incus_open_reply(reply, err);

	if (envelope != NULL)
		error_set(err, ERROR_FAILED,
		    _("the daemon answers with something else than the "
		      "export"));
}

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
	    backup_body(of, options, DIRECT_COMPRESSION, NULL);
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
	refuse_reply(&reply, err);
	return NULL;
}

/* An export that lies on the daemon's disk. */
struct spooled {
	struct stream base;
	struct incus_client *client;
	struct backup_options options;
	char *name; /* of the backup object */
	char *path; /* its URL; NULL before it was asked for */
	struct stream *download;
};

static ssize_t
spooled_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	return stream_read(((struct spooled *)s)->download, buf, size, err);
}

static void
note(const struct backup_options *options, const char *text)
{
	if (options->note != NULL)
		options->note(options->data, text);
}

/* Delete the object, whatever has happened. Should that fail, it expires. */
static void
delete_export(struct spooled *self)
{
	struct error why = {0};

	interrupt_shield_up();
	if (operation_run(self->client, "DELETE", self->path, NULL, &why) < 0 &&
	    why.code != ERROR_NOT_FOUND) {
		error_prefix(&why,
		    _("the export stays on the daemon's disk until it expires "
		      "in a day"));
		note(&self->options, why.text);
	}
	interrupt_shield_down();
	error_clear(&why);
}

static void
spooled_free(struct stream *s)
{
	struct spooled *self = (struct spooled *)s;

	stream_free(self->download);
	if (self->path != NULL)
		delete_export(self);
	free(self->path);
	free(self->name);
	free(self);
}

static const struct stream_kind spooled_kind = {
    .name = "export",
    .read = spooled_read,
    .free = spooled_free,
};

/* The daemon cannot cancel an export: after an interruption, wait for its end
 * so that there is something to delete. */
static int
wait_for_export(struct incus_client *client, const struct operation *operation,
    bool wants_progress, const struct backup_options *options,
    struct error *err)
{
	struct error ignored = {0};

	if (operation_wait(client, operation, wants_progress, err) == 0)
		return 0;
	if (err->code == ERROR_NO_SPACE)
		return error_hint(err,
		    _("the daemon's spool is full: make room in its backups/, "
		      "or give it a volume: incus config set "
		      "storage.backups_volume POOL/VOLUME"));
	if (err->code != ERROR_INTERRUPTED && err->code != ERROR_TERMINATED)
		return -1;
	if (options->abandoned != NULL)
		options->abandoned(options->data);
	/* Who reads the note may interrupt at once: that must be the second. */
	interrupt_shield_up();
	note(options,
	    _("waiting for the daemon to end its export, to delete it; "
	      "interrupt again to leave it (it expires in a day)"));
	(void)operation_wait(client, operation, wants_progress, &ignored);
	interrupt_shield_down();
	return -1;
}

static int
spool(struct spooled *self, const struct backup_subject *of,
    const struct backup_options *options, const char *compression,
    struct error *err)
{
	auto_free char *path =
	    backup_subject_path(of, "backups", NULL, NULL, err);
	char digits[BACKUP_NAME_DIGITS + 1];
	auto_json json_t *body = NULL;
	auto_operation struct operation operation = {0};
	int started;

	if (path == NULL ||
	    text_random_hex(digits, BACKUP_NAME_DIGITS, err) < 0)
		return -1;
	/* The name is ours, so that we know what to delete before the daemon
	 * has answered. */
	self->name = text_format(err, BACKUP_NAME_PREFIX "%s", digits);
	if (self->name == NULL)
		return -1;
	body = backup_body(of, options, compression, self->name);
	if (body == NULL)
		return error_set_memory(err);

	/* From here on there may be something to delete: once the daemon has
	 * answered, whatever is asked of us meanwhile. */
	self->path = backup_subject_path(of, "backups", self->name, NULL, err);
	if (self->path == NULL)
		return -1;
	interrupt_shield_up();
	started =
	    operation_start(self->client, "POST", path, body, &operation, err);
	interrupt_shield_down();
	if (started < 0)
		return -1;
	/* Of a volume's export the daemon tells no progress (6.0.4, 7.0.2). */
	return wait_for_export(self->client, &operation,
	    !backup_subject_is_volume(of), options, err);
}

static int
download_export(
    struct spooled *self, const struct backup_subject *of, struct error *err)
{
	auto_free char *path =
	    backup_subject_path(of, "backups", self->name, "export", err);
	auto_reply struct http_reply reply = {0};
	struct http_request request = {.method = "GET", .path = path};

	if (path == NULL)
		return -1;
	if (http_download(incus_client_http(self->client), &request,
		&self->download, &reply, err) < 0)
		return -1;
	if (self->download != NULL)
		return 0;
	refuse_reply(&reply, err);
	return -1;
}

static struct stream *
try_spooled(struct incus_client *client, const struct backup_subject *of,
    const struct backup_options *options, const char *compression,
    struct error *err)
{
	struct spooled *self = calloc(1, sizeof(*self));

	if (self == NULL) {
		error_set_memory(err);
		return NULL;
	}
	self->base.kind = &spooled_kind;
	self->client = client;
	self->options = *options;
	if (spool(self, of, options, compression, err) < 0 ||
	    download_export(self, of, err) < 0)
		return stream_refuse(&self->base);
	return &self->base;
}

/* The export, decompressed: the daemon's word for its compression is not taken,
 * its first bytes are. */
static struct stream *
open_spooled(struct incus_client *client, const struct backup_subject *of,
    const struct backup_options *options, struct error *err)
{
	size_t count =
	    sizeof(spool_compressions) / sizeof(spool_compressions[0]);
	struct stream *export = NULL;
	const unsigned char *head;
	size_t size;

	for (size_t i = 0; export == NULL && i < count; i++) {
		if (i > 0 && strstr(err->text, COMPRESSOR_MISSING) == NULL)
			return NULL;
		error_clear(err);
		export = try_spooled(
		    client, of, options, spool_compressions[i], err);
	}
	export = peek_new(export, err);
	if (export == NULL)
		return NULL;
	head = peek_bytes(export, &size);
	return decompress_new(export, compression_detect(head, size), err);
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
	return open_spooled(client, of, options, err);
}
