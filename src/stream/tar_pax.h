/* tar_pax.h - the records that a pax header says of the member behind it
 *
 * POSIX.1-2017, pax, "pax Extended Header". Only the keys that Go's archive/tar
 * writes for Incus, each once: what another reader would understand and this
 * one not is refused. */

#ifndef ANKLUME_STREAM_TAR_PAX_H
#define ANKLUME_STREAM_TAR_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Go reads no more (archive/tar, maxSpecialFileSize), so the daemon does not.
 */
#define TAR_PAX_MAX_BYTES (1024 * 1024)

/* PATH_MAX; the daemon writes paths that it has opened. */
#define TAR_NAME_BYTES 4096

struct tar_pax {
	char path[TAR_NAME_BYTES]; /* "": not said */
	char link[TAR_NAME_BYTES];
	bool has_size;
	uint64_t size_bytes;

	/* Claims, as in tar_header.h. */
	bool has_uid;
	uint32_t uid;
	bool has_gid;
	uint32_t gid;
	bool has_mtime;
	int64_t mtime_s; /* rounded towards zero */
};

/* Nothing is said: two names of 4 KiB are not zeroed for each member. */
void tar_pax_clear(struct tar_pax *pax);

/* ERROR_UNSAFE when anything in it is not as above. */
int tar_pax_read(
    const char *bytes, size_t size, struct tar_pax *ret_pax, struct error *err);

#endif
