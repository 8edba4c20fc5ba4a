#include "transfer/export.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "incus/backup.h"
#include "store/archive.h"
#include "stream/compression.h"
#include "stream/gate.h"
#include "stream/meter.h"
#include "stream/openpgp.h"
#include "stream/read_ahead.h"
#include "stream/stream.h"
#include "stream/throttle.h"
#include "transfer/thaw_guard.h"
#include "transfer/watch.h"

/* One export on its way. */
struct export
{
	const struct export_request *request;
	const struct watch *watch;
	struct exported *exported;
};

void
exported_clear(struct exported *exported)
{
	backup_index_clear(&exported->index);
	examination_clear(&exported->examination);
	*exported = (struct exported){0};
}

bool
export_is_to_stdout(const char *output)
{
	return strcmp(output, "-") == 0;
}

static void
note_daemon(void *data, const char *text)
{
	watch_note(((const struct export *)data)->watch, "%s", text);
}

static void
thaw_abandoned(void *data)
{
	const struct export *export = data;

	if (export->request->guard != NULL)
		thaw_guard_release(export->request->guard);
}

/* The daemon has read the instance. */
static int
end_freeze(void *data, struct error *err)
{
	const struct export *export = data;
	struct exported *exported = export->exported;

	if (thaw_guard_end(export->request->guard, &exported->frozen_ms, err) <
	    0)
		return -1;
	exported->frozen = true;
	return 0;
}

static int
tell_received(void *data, struct error *err)
{
	(void)err;
	watch_received(((const struct export *)data)->watch);
	return 0;
}

/* A spooled export of something frozen lies ready when it is opened, a direct
 * one ends with its stream. */
static struct stream *
watch_freeze(
    struct export *export, struct stream *tar, bool spooled, struct error *err)
{
	if (export->request->guard == NULL || tar == NULL)
		return tar;
	if (!spooled)
		return gate_new(tar, end_freeze, export, err);
	return end_freeze(export, err) == 0 ? tar : stream_refuse(tar);
}

/* What the stream says of itself must be what was asked for. */
static int
check_index(struct export *export, struct error *err)
{
	struct exported *exported = export->exported;
	const struct backup_subject *subject = export->request->subject;
	const char *asked = subject->name;

	if (backup_index_read(
		steal(exported->examination.index), &exported->index, err) < 0)
		return -1;
	if (strcmp(exported->index.name, asked) != 0 ||
	    backup_index_is_volume(&exported->index) !=
		backup_subject_is_volume(subject) ||
	    (backup_subject_is_volume(subject) &&
		strcmp(exported->index.pool, subject->pool) != 0))
		return error_set(err, ERROR_DAMAGED,
		    _("the daemon exports '%s' where '%s' was asked for"),
		    exported->index.name, asked);
	return 0;
}

/* The daemon's tar, checked as it passes. */
static struct stream *
open_tar(struct export *export, struct error *err)
{
	const struct export_request *request = export->request;
	struct exported *exported = export->exported;
	struct backup_options options = {
	    .instance_only = request->instance_only,
	    /* What is frozen is so while the daemon works; and what has gone
	     * out cannot be begun again when a file has changed. */
	    .whole_first =
		request->guard != NULL || export_is_to_stdout(request->output),
	    .note = note_daemon,
	    .abandoned = thaw_abandoned,
	    .data = export,
	};
	bool spooled = false;
	struct stream *tar = incus_backup_open(
	    request->client, request->subject, &options, &spooled, err);

	if (tar != NULL)
		watch_detail(export->watch, "%s",
		    spooled ? _("the daemon spools the export on its own disk")
			    : _("the export comes straight out of the daemon"));
	tar = watch_freeze(export, tar, spooled, err);
	tar = digest_new(tar, &exported->tar, err);
	tar = examine_new(tar, &exported->examination, err);
	if (tar == NULL)
		return NULL;
	if (check_index(export, err) < 0)
		return stream_refuse(tar);
	return read_ahead_new(tar, err);
}

static int
save(const struct export_request *request, struct stream *archive,
    struct error *err)
{
	uint64_t size_bytes;

	if (export_is_to_stdout(request->output))
		return stream_write_fd(
		    archive, STDOUT_FILENO, "-", &size_bytes, err);
	return archive_save(
	    request->output, request->name, request->force, archive, err);
}

int
export_archive(const struct export_request *request, const struct watch *watch,
    struct exported *ret_exported, struct error *err)
{
	struct export export = {
	    .request = request, .watch = watch, .exported = ret_exported};
	struct meter_watch meter = watch_meter(watch);
	struct stream *data;
	int result;

	watch_start(watch, request->subject->name, 0);
	data = open_tar(&export, err);
	data = gate_new(data, tell_received, &export, err);
	data = meter_new(data, &meter, err);
	data = compress_new(data, request->compression, err);
	if (request->recipients->count > 0)
		data = openpgp_encrypt_new(data, request->recipients, err);
	data = digest_new(data, &ret_exported->archive, err);
	data = throttle_new(data, request->bytes_per_s, err);
	ret_exported->begun = data != NULL;
	result = data != NULL ? save(request, data, err) : -1;
	watch_stop(watch);
	stream_free(data);
	return result;
}
