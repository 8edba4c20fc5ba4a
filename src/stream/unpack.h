/* unpack.h - find by content what wraps a tar, and take it off */

#ifndef ANKLUME_STREAM_UNPACK_H
#define ANKLUME_STREAM_UNPACK_H

#include <stdbool.h>

#include "stream/compression.h"

struct error;
struct stream;

struct packing {
	bool encrypted;
	enum compression_kind compression;
};

/* Decrypts and decompresses as the first bytes of each layer ask for; names and
 * suffixes do not count. Reads the head of `from` at once. */
struct stream *unpack_new(
    struct stream *from, struct packing *ret_packing, struct error *err);

#endif
