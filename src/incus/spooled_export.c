#include "incus/spooled_export.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "base/wait.h"
#include "incus/backup.h"
#include "incus/backup_request.h"
#include "incus/client.h"
#include "incus/http.h"
#include "incus/operation.h"
#include "stream/compression.h"
#include "stream/peek.h"
#include "stream/stream.h"

/* It must be compressed: without a compressor, a spool that is full leaves the
 * daemon's operation running for ever (seen on 6.0.4); with one it fails. The
 * daemon's processors are ours, too: with "zstd -1" a backup of 204 MB takes
 * 1.55 s, with "--fast=10" 1.33, for 125 MB in the spool instead of 93 (6.0.4,
 * two processors). gzip is there where zstd is not. */
static const char *const compressions[] = {
    "zstd --fast=10", "zstd -1", "gzip -1"};

/* How the daemon says that it lacks a compressor (Go, os/exec), and that it
 * takes no option but a level (newer ones; incus, shared/validate). */
static const char *const refusals[] = {
    "executable file not found", "isn't allowed"};

/* Between two looks at a file that has not grown. One costs the daemon some 3
 * ms. */
#define PAUSE_MS 25

/* The daemon forgets an operation 5 s after its end: whoever takes long over a
 * piece looks in between. */
#define LOOK_MS 2000

struct spooled_export {
	struct stream base;
	struct incus_client *client;
	struct backup_options options;
	bool wants_progress;
	char *path;	 /* of the object; NULL before it was asked for */
	char *file_path; /* of what is in it */

	struct operation operation;
	int64_t looked_ms;
	bool ended; /* the daemon's work, well or not */

	struct stream *piece; /* what was there when it was asked for */
	bool piece_is_last;
	bool grew; /* since the piece before */
	bool drained;
	uint64_t read_bytes;
};

static void
note(const struct spooled_export *self, const char *text)
{
	if (self->options.note != NULL)
		self->options.note(self->options.data, text);
}

/* The daemon's work ------------------------------------------------------- */

static int
explain(struct error *err)
{
	if (err->code == ERROR_NO_SPACE)
		return error_hint(err,
		    _("the daemon's spool is full: make room in its backups/, "
		      "or give it a volume: incus config set "
		      "storage.backups_volume POOL/VOLUME"));
	return -1;
}

/* The daemon cannot cancel an export: whoever does not want it any more waits
 * for its end, so that there is something to delete. */
static void
wait_for_end(struct spooled_export *self)
{
	struct error ignored = {0};

	if (self->options.abandoned != NULL)
		self->options.abandoned(self->options.data);
	/* Who reads the note may interrupt at once: that must be the second. */
	interrupt_shield_up();
	note(self, _("waiting for the daemon to end its export, to delete it; "
		     "interrupt again to leave it (it expires in a day)"));
	(void)operation_wait(
	    self->client, &self->operation, self->wants_progress, &ignored);
	interrupt_shield_down();
}

/* Delete the object, whatever has happened. Should that fail, it expires. */
static void
delete_object(struct spooled_export *self)
{
	struct error why = {0};

	interrupt_shield_up();
	if (operation_run(self->client, "DELETE", self->path, NULL, &why) < 0 &&
	    why.code != ERROR_NOT_FOUND) {
		error_prefix(&why,
		    _("the export stays on the daemon's disk until it expires "
		      "in a day"));
		note(self, why.text);
	}
	interrupt_shield_down();
	error_clear(&why);
}

/* Whether it is the daemon's work that has failed, and not our patience. */
static bool
is_over(const struct error *err)
{
	return err->code != ERROR_INTERRUPTED && err->code != ERROR_TERMINATED;
}

/* A daemon that has forgotten the operation has ended it, or was restarted: it
 * takes away what has failed, and what is cut is found out by its content. */
static int
look_at_object(struct spooled_export *self, struct error *err)
{
	auto_json json_t *object = NULL;
	struct error lost = *err;

	error_clear(err);
	if (incus_get(self->client, self->path, &object, err) == 0)
		return 1;
	if (err->code == ERROR_NOT_FOUND)
		*err = lost;
	return -1;
}

static int
look(struct spooled_export *self, struct error *err)
{
	int ended;

	if (self->ended)
		return 0;
	ended = operation_look(
	    self->client, &self->operation, self->wants_progress, err);
	if (ended < 0 && self->operation.forgotten)
		ended = look_at_object(self, err);
	self->looked_ms = clock_now_ms();
	self->ended = ended > 0 || (ended < 0 && is_over(err));
	return ended < 0 ? explain(err) : 0;
}

static int
wait_whole(struct spooled_export *self, struct error *err)
{
	if (operation_wait(self->client, &self->operation, self->wants_progress,
		err) == 0) {
		self->ended = true;
		return 0;
	}
	self->ended = is_over(err);
	return explain(err);
}

static int
begin(struct spooled_export *self, const struct backup_subject *of,
    const char *compression, struct error *err)
{
	auto_free char *path =
	    backup_subject_path(of, "backups", NULL, NULL, err);
	auto_free char *name = NULL;
	char digits[BACKUP_NAME_DIGITS + 1];
	auto_json json_t *body = NULL;
	int started;

	if (path == NULL ||
	    text_random_hex(digits, BACKUP_NAME_DIGITS, err) < 0)
		return -1;
	/* The name is ours, so that we know what to delete before the daemon
	 * has answered. */
	name = text_format(err, BACKUP_NAME_PREFIX "%s", digits);
	if (name == NULL)
		return -1;
	body = backup_request_body(of, &self->options, compression, name);
	if (body == NULL)
		return error_set_memory(err);
	self->file_path =
	    backup_subject_path(of, "backups", name, "export", err);
	if (self->file_path == NULL)
		return -1;

	/* From here on there may be something to delete: once the daemon has
	 * answered, whatever is asked of us meanwhile. */
	self->path = backup_subject_path(of, "backups", name, NULL, err);
	if (self->path == NULL)
		return -1;
	interrupt_shield_up();
	started = operation_start(
	    self->client, "POST", path, body, &self->operation, err);
	interrupt_shield_down();
	self->ended = started < 0;
	self->looked_ms = clock_now_ms();
	if (started < 0)
		return -1;
	return self->options.whole_first ? wait_whole(self, err) : 0;
}

/* Its file --------------------------------------------------------------- */

/* Nothing is there yet, or nothing new: what the file's end is answered with
 * (RFC 9110, 15.5.17). */
static bool
is_nothing(const struct spooled_export *self, int status)
{
	return (status == 404 && !self->ended) ||
	       (status == 416 && self->read_bytes > 0);
}

static int
refuse(const struct spooled_export *self, const struct http_reply *reply,
    struct error *err)
{
	return self->operation.forgotten && reply->status == 404
		   ? operation_lost(err)
		   : backup_request_refused(reply, err);
}

/* What there is by now, behind what was read. A piece that is asked for after
 * the end of the daemon's work is the last. */
static int
open_piece(struct spooled_export *self, struct error *err)
{
	auto_reply struct http_reply reply = {0};
	struct http_request request = {.method = "GET",
	    .path = self->file_path,
	    .resume_bytes = self->read_bytes};

	if (!self->grew && wait_ready(-1, 0, PAUSE_MS, err) < 0)
		return -1;
	self->grew = false;
	if (look(self, err) < 0)
		return -1;
	self->piece_is_last = self->ended;
	if (http_download(incus_client_http(self->client), &request,
		&self->piece, &reply, err) < 0)
		return -1;
	if (self->piece == NULL && !is_nothing(self, reply.status))
		return refuse(self, &reply, err);
	self->drained = self->piece == NULL && self->piece_is_last;
	return 0;
}

/* Some of the piece; 0 at its end. */
static ssize_t
read_piece(
    struct spooled_export *self, void *buf, size_t size, struct error *err)
{
	ssize_t got;

	if (clock_left_ms(self->looked_ms + LOOK_MS) == 0 &&
	    look(self, err) < 0)
		return -1;
	got = stream_read(self->piece, buf, size, err);
	if (got < 0)
		return -1;
	if (got > 0) {
		self->read_bytes += (uint64_t)got;
		self->grew = true;
		return got;
	}
	stream_free(self->piece);
	self->piece = NULL;
	self->drained = self->piece_is_last;
	return 0;
}

static ssize_t
spooled_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct spooled_export *self = (struct spooled_export *)s;

	while (!self->drained) {
		ssize_t got = self->piece != NULL
				  ? read_piece(self, buf, size, err)
				  : open_piece(self, err);

		if (got != 0)
			return got;
	}
	return 0;
}

static void
spooled_free(struct stream *s)
{
	struct spooled_export *self = (struct spooled_export *)s;

	stream_free(self->piece);
	if (self->path != NULL && !self->ended)
		wait_for_end(self);
	if (self->path != NULL)
		delete_object(self);
	operation_clear(&self->operation);
	free(self->file_path);
	free(self->path);
	free(self);
}

static const struct stream_kind spooled_kind = {
    .name = "export",
    .read = spooled_read,
    .free = spooled_free,
};

static struct stream *
try_compression(struct incus_client *client, const struct backup_subject *of,
    const struct backup_options *options, const char *compression,
    struct error *err)
{
	struct spooled_export *self = calloc(1, sizeof(*self));

	if (self == NULL) {
		error_set_memory(err);
		return NULL;
	}
	self->base.kind = &spooled_kind;
	self->client = client;
	self->options = *options;
	/* Of a volume's export the daemon tells no progress (6.0.4). */
	self->wants_progress = !backup_subject_is_volume(of);
	self->grew = true;
	if (begin(self, of, compression, err) < 0)
		return stream_refuse(&self->base);
	/* The daemon looks for the compressor when it begins to write. */
	return peek_new(&self->base, err);
}

static bool
is_about_compression(const struct error *err)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (strstr(err->text, refusals[i]) != NULL)
			return true;
	}
	return false;
}

struct stream *
spooled_export_new(struct incus_client *client, const struct backup_subject *of,
    const struct backup_options *options, struct error *err)
{
	size_t count = sizeof(compressions) / sizeof(compressions[0]);
	struct stream *export = NULL;
	const unsigned char *head;
	size_t size;

	for (size_t i = 0; export == NULL && i < count; i++) {
		if (i > 0 && !is_about_compression(err))
			return NULL;
		error_clear(err);
		export =
		    try_compression(client, of, options, compressions[i], err);
	}
	if (export == NULL)
		return NULL;
	/* The daemon's word for its compression is not taken. */
	head = peek_bytes(export, &size);
	return decompress_new(export, compression_detect(head, size), err);
}
