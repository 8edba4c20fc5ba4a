#include "stream/compression.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "stream/gzip.h"
#include "stream/stream.h"
#include "stream/zstd.h"

static const struct {
	const char *name;
	const char *suffix;
	int level_default;
	int level_max;
} kinds[] = {
    [COMPRESSION_NONE] = {"none", ".tar", 0, 0},
    [COMPRESSION_GZIP] = {"gzip", ".tar.gz", GZIP_LEVEL_DEFAULT,
	GZIP_LEVEL_MAX},
    [COMPRESSION_ZSTD] = {"zstd", ".tar.zst", ZSTD_LEVEL_DEFAULT,
	ZSTD_LEVEL_MAX},
};

static int
refuse(const char *text, struct error *err)
{
	error_set(err, ERROR_USAGE, _("unknown compression '%s'"), text);
	return error_hint(err, _("one of: none, gzip[:1-%d], zstd[:1-%d]"),
	    GZIP_LEVEL_MAX, ZSTD_LEVEL_MAX);
}

int
compression_parse(
    const char *text, struct compression *ret_how, struct error *err)
{
	size_t length = strcspn(text, ":");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint64_t level = (uint64_t)kinds[i].level_default;

		if (strlen(kinds[i].name) != length ||
		    strncmp(kinds[i].name, text, length) != 0)
			continue;
		if (text[length] == ':' &&
		    (!text_parse_number(text + length + 1,
			 (uint64_t)kinds[i].level_max, &level) ||
			level == 0))
			return refuse(text, err);
		ret_how->kind = (enum compression_kind)i;
		ret_how->level = (int)level;
		return 0;
	}
	return refuse(text, err);
}

const char *
compression_name(enum compression_kind kind)
{
	return kinds[kind].name;
}

const char *
compression_suffix(enum compression_kind kind)
{
	return kinds[kind].suffix;
}

enum compression_kind
compression_detect(const unsigned char *head, size_t size)
{
	/* RFC 1952, section 2.3.1; RFC 8878, section 3.1.1. */
	if (size >= 2 && memcmp(head, "\x1f\x8b", 2) == 0)
		return COMPRESSION_GZIP;
	if (size >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0)
		return COMPRESSION_ZSTD;
	return COMPRESSION_NONE;
}

struct stream *
compress_new(
    struct stream *from, const struct compression *how, struct error *err)
{
	switch (how->kind) {
	case COMPRESSION_GZIP:
		return gzip_new(from, how->level, err);
	case COMPRESSION_ZSTD:
		return zstd_new(from, how->level, err);
	case COMPRESSION_NONE:
		break;
	}
	return from;
}

struct stream *
decompress_new(
    struct stream *from, enum compression_kind kind, struct error *err)
{
	switch (kind) {
	case COMPRESSION_GZIP:
		return gunzip_new(from, err);
	case COMPRESSION_ZSTD:
		return unzstd_new(from, err);
	case COMPRESSION_NONE:
		break;
	}
	return from;
}
