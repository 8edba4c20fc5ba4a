/* zstd.h - Zstandard (RFC 8878), both ways; with zstd.c the only place that
 * names libzstd */

#ifndef ANKLUME_STREAM_ZSTD_H
#define ANKLUME_STREAM_ZSTD_H

struct error;
struct stream;

#define ZSTD_LEVEL_MAX 19
#define ZSTD_LEVEL_DEFAULT 1

/* Compress with a content checksum; `level` is 1..ZSTD_LEVEL_MAX. */
struct stream *zstd_new(struct stream *from, int level, struct error *err);

/* Decompress one frame, which must be all there is. A window above 128 MiB,
 * what the zstd tool accepts without asking, is refused. */
struct stream *unzstd_new(struct stream *from, struct error *err);

#endif
