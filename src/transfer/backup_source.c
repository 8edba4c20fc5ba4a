#include "transfer/backup_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "store/archive.h"
#include "store/manifest.h"
#include "stream/backup_members.h"
#include "stream/meter.h"
#include "stream/stream.h"
#include "transfer/watch.h"

/* The manifest must be of the instance or volume that is inside. */
static int
check_subject(const struct backup_source *source, struct error *err)
{
	const json_t *manifest = source->provenance.manifest;
	const char *said = manifest_subject(manifest);
	auto_free char *inside = backup_index_subject(&source->index, err);

	if (inside == NULL)
		return -1;
	if (manifest == NULL || (said != NULL && strcmp(said, inside) == 0))
		return 0;
	return error_set(err, ERROR_DAMAGED,
	    backup_index_is_volume(&source->index)
		? _("it holds the volume '%s', but its manifest says '%s'")
		: _("it holds the instance '%s', but its manifest says '%s'"),
	    inside, said != NULL ? said : "");
}

static int
read_index(struct backup_source *source, struct error *err)
{
	if (backup_index_read(
		steal(source->examination.index), &source->index, err) < 0)
		return -1;
	return check_subject(source, err);
}

/* What a disk or a thief has done to an archive of ours may look like what only
 * an attacker would write: its digest tells. Always -1. */
static int
blame(const struct backup_source *source, struct error *err)
{
	const struct provenance *provenance = &source->provenance;
	struct digest digest = {0};
	struct error other = {0};
	uint64_t size_bytes;

	if (err->code != ERROR_UNSAFE ||
	    (provenance->manifest == NULL &&
		json_array_size(provenance->candidates) == 0))
		return -1;
	if (digest_of(archive_open(source->path, &size_bytes, &other), &digest,
		&other) == 0)
		(void)provenance_check(provenance, &digest, true, &other);
	if (other.code == ERROR_DAMAGED)
		*err = other;
	return -1;
}

int
backup_source_blame(const struct backup_source *source, struct error *err)
{
	(void)blame(source, err);
	return error_prefix(err, "'%s'", source->path);
}

/* The end of the chain, which knows whose fault a failure is. */
struct examined {
	struct stream base;
	const struct backup_source *source;
};

static ssize_t
examined_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	const struct examined *self = (const struct examined *)s;
	ssize_t got = stream_read(s->upstream, buf, size, err);

	return got < 0 ? blame(self->source, err) : got;
}

static void
examined_free(struct stream *s)
{
	free(s);
}

static const struct stream_kind examined_kind = {
    .name = "backup",
    .read = examined_read,
    .free = examined_free,
};

static struct stream *
examined_new(
    struct stream *from, const struct backup_source *source, struct error *err)
{
	struct examined *self;

	if (from == NULL)
		return NULL;
	self = calloc(1, sizeof(*self));
	if (self == NULL) {
		error_set_memory(err);
		return stream_refuse(from);
	}
	self->base.kind = &examined_kind;
	self->base.upstream = from;
	self->source = source;
	return &self->base;
}

/* The archive, decrypted and decompressed. */
static struct stream *
open_packed(struct backup_source *source, const char *path,
    const struct watch *watch, struct error *err)
{
	struct meter_watch meter = watch_meter(watch);
	struct stream *data = archive_open(path, &source->size_bytes, err);

	source->path = path;
	if (data == NULL)
		return NULL;
	if (provenance_load(
		path, source->size_bytes, &source->provenance, err) < 0)
		return stream_refuse(data);
	data = meter_new(data, &meter, err);
	data = digest_new(data, &source->digest, err);
	data = unpack_new(data, &source->packing, err);
	if (data == NULL)
		error_prefix(err, "'%s'", path);
	return data;
}

static void
note_unconfined(const struct backup_source *source, const struct watch *watch)
{
	if (source->examination.unconfined)
		watch_note(watch, "%s",
		    _("this kernel has neither Landlock nor seccomp: the "
		      "archive is parsed by a process that is not locked in"));
}

struct stream *
backup_source_open(struct backup_source *source, const char *path,
    const struct watch *watch, struct error *err)
{
	struct stream *data = open_packed(source, path, watch, err);

	if (data == NULL)
		return NULL;
	data = examine_new(data, &source->examination, err);
	data = examined_new(data, source, err);
	if (data != NULL && read_index(source, err) < 0)
		data = stream_refuse(data);
	if (data == NULL) {
		(void)backup_source_blame(source, err);
		return NULL;
	}
	note_unconfined(source, watch);
	return data;
}

struct backup_members *
backup_source_members(struct backup_source *source, const char *path,
    const struct backup_wish *wish, const struct watch *watch,
    struct error *err)
{
	struct stream *data = open_packed(source, path, watch, err);
	struct backup_members *members;

	if (data == NULL)
		return NULL;
	members = backup_members_new(data, wish, &source->examination, err);
	if (members != NULL && read_index(source, err) < 0) {
		backup_members_free(members);
		members = NULL;
	}
	if (members == NULL) {
		(void)backup_source_blame(source, err);
		return NULL;
	}
	note_unconfined(source, watch);
	return members;
}

int
backup_source_check(
    const struct backup_source *source, bool presumed, struct error *err)
{
	const json_t *manifest = source->provenance.manifest;

	if (provenance_check(
		&source->provenance, &source->digest, presumed, err) < 0)
		return -1;
	if (manifest == NULL)
		return 0;
	if ((uint64_t)json_number(manifest, "tar_size_bytes") !=
		source->examination.tar_size_bytes ||
	    (uint64_t)json_number(manifest, "entries") !=
		source->examination.entries)
		return error_set(err, ERROR_DAMAGED,
		    _("its content is not what its manifest says"));
	return 0;
}

void
backup_source_clear(struct backup_source *source)
{
	provenance_clear(&source->provenance);
	backup_index_clear(&source->index);
	examination_clear(&source->examination);
}
