#include "transfer/backup_source.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "store/archive.h"
#include "stream/meter.h"
#include "stream/stream.h"
#include "transfer/watch.h"

/* The manifest must be of the instance that is inside. */
static int
check_instance(const struct backup_source *source, struct error *err)
{
	const json_t *manifest = source->provenance.manifest;
	const char *name = json_text(manifest, "instance");

	if (manifest == NULL ||
	    (name != NULL && strcmp(name, source->index.name) == 0))
		return 0;
	return error_set(err, ERROR_DAMAGED,
	    _("it holds the instance '%s', but its manifest says '%s'"),
	    source->index.name, name != NULL ? name : "");
}

static int
read_index(struct backup_source *source, struct error *err)
{
	if (backup_index_parse(source->inspection.index_yaml,
		source->inspection.index_size, &source->index, err) < 0)
		return -1;
	return check_instance(source, err);
}

struct stream *
backup_source_open(struct backup_source *source, const char *path,
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
	data = inspect_new(data, &source->inspection, err);
	if (data != NULL && read_index(source, err) < 0)
		data = stream_refuse(data);
	if (data == NULL)
		error_prefix(err, "'%s'", path);
	return data;
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
		source->inspection.tar_size_bytes ||
	    (uint64_t)json_number(manifest, "entries") !=
		source->inspection.entries)
		return error_set(err, ERROR_DAMAGED,
		    _("its content is not what its manifest says"));
	return 0;
}

void
backup_source_clear(struct backup_source *source)
{
	provenance_clear(&source->provenance);
	backup_index_clear(&source->index);
	inspection_clear(&source->inspection);
}
