#include "stream/gzip.h"

#include <stddef.h>

#include "config.h"
#include "stream/gzip_coders.h"

struct stream *
gzip_new(struct stream *from, int level, struct error *err)
{
	if (from == NULL)
		return NULL;
#if HAVE_ISAL
	if (level <= GZIP_ISAL_LEVEL_MAX)
		return gzip_isal_new(from, level, err);
#endif
	return gzip_zlib_new(from, level, err);
}

struct stream *
gunzip_new(struct stream *from, struct error *err)
{
	if (from == NULL)
		return NULL;
#if HAVE_ISAL
	return gunzip_isal_new(from, err);
#else
	return gunzip_zlib_new(from, err);
#endif
}
