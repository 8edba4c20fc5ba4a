/* digest.h - a filter that takes the SHA-256 and the size of what passes; the
 * only place that names libcrypto */

#ifndef ANKLUME_STREAM_DIGEST_H
#define ANKLUME_STREAM_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct stream;

/* 64 hexadecimal digits and a NUL (FIPS 180-4). */
#define DIGEST_TEXT_BYTES 65

struct digest {
	bool complete; /* the stream has ended well: the rest is valid */
	uint64_t size_bytes;
	char sha256[DIGEST_TEXT_BYTES]; /* lower case */
};

/* *ret_digest is filled when the end is read, and must live as long as the
 * stream. */
struct stream *digest_new(
    struct stream *from, struct digest *ret_digest, struct error *err);

/* Of a whole stream (taken over; NULL hands the error up). */
int digest_of(
    struct stream *from, struct digest *ret_digest, struct error *err);

/* Of bytes in memory. */
int digest_bytes(const void *bytes, size_t size,
    char ret_sha256[DIGEST_TEXT_BYTES], struct error *err);

/* What was written, read back (taken over; NULL hands the error up): it must be
 * what `sent` is the digest of. `name` is for the message. ERROR_DAMAGED. */
int digest_check(struct stream *written, const struct digest *sent,
    const char *name, struct error *err);

#endif
