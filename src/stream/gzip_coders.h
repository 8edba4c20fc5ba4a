/* gzip_coders.h - the two makers of gzip, for gzip.c only */

#ifndef ANKLUME_STREAM_GZIP_CODERS_H
#define ANKLUME_STREAM_GZIP_CODERS_H

struct error;
struct stream;

/* Levels of ISA-L's deflate: 1..3 (isa-l/igzip_lib.h; its 0 is for other uses).
 */
#define GZIP_ISAL_LEVEL_MAX 3

/* `from` is never NULL here. */
struct stream *gzip_isal_new(struct stream *from, int level, struct error *err);
struct stream *gunzip_isal_new(struct stream *from, struct error *err);
struct stream *gzip_zlib_new(struct stream *from, int level, struct error *err);
struct stream *gunzip_zlib_new(struct stream *from, struct error *err);

#endif
