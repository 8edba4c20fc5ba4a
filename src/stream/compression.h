/* compression.h - what a user may ask for, and what content turns out to be */

#ifndef ANKLUME_STREAM_COMPRESSION_H
#define ANKLUME_STREAM_COMPRESSION_H

#include <stddef.h>

struct error;
struct stream;

enum compression_kind {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_ZSTD,
};

struct compression {
	enum compression_kind kind;
	int level; /* 1.. ; 0 with COMPRESSION_NONE */
};

/* Parse "none", "gzip[:N]" or "zstd[:N]". -1 with ERROR_USAGE. */
int compression_parse(
    const char *text, struct compression *ret_how, struct error *err);

/* "none", "gzip" or "zstd", as in manifests. Static. */
const char *compression_name(enum compression_kind kind);

/* ".tar", ".tar.gz" or ".tar.zst". Static. */
const char *compression_suffix(enum compression_kind kind);

/* Recognise content by its first bytes; anything else is COMPRESSION_NONE. */
enum compression_kind compression_detect(
    const unsigned char *head, size_t size);

/* Filters; with COMPRESSION_NONE they return `from` itself. */
struct stream *compress_new(
    struct stream *from, const struct compression *how, struct error *err);
struct stream *decompress_new(
    struct stream *from, enum compression_kind kind, struct error *err);

#endif
