/* tar_header.h - one 512-byte header of a tar, read strictly
 *
 * POSIX.1-2017, pax, "ustar Interchange Format", as Go's archive/tar writes it,
 * which is what Incus uses. Whatever two readers could understand in different
 * ways is refused: base-256 numbers, other magics, signed checksums, bytes
 * behind a name's end. */

#ifndef ANKLUME_STREAM_TAR_HEADER_H
#define ANKLUME_STREAM_TAR_HEADER_H

#include <stdint.h>

struct error;

#define TAR_BLOCK_BYTES 512U

/* The ends of both fields of a name, "/" and NUL included (POSIX). */
#define TAR_HEADER_NAME_BYTES (155 + 1 + 100 + 1)
#define TAR_HEADER_LINK_BYTES (100 + 1)

/* The most that the octal field of a size holds. */
#define TAR_HEADER_SIZE_MAX UINT64_C(077777777777)

/* The types of members (POSIX; '7' and letters other than 'x' are not used). */
enum tar_type {
	TAR_FILE = '0',
	TAR_HARD_LINK = '1',
	TAR_SYMLINK = '2',
	TAR_CHARACTER_DEVICE = '3',
	TAR_BLOCK_DEVICE = '4',
	TAR_DIRECTORY = '5',
	TAR_FIFO = '6',
	TAR_PAX = 'x', /* what follows is said of the next member */
};

struct tar_header {
	char name[TAR_HEADER_NAME_BYTES];
	char link[TAR_HEADER_LINK_BYTES];
	enum tar_type type;
	uint64_t size_bytes; /* of what follows */

	/* Claims that nothing is decided by; 0 where a field is empty. */
	uint32_t mode; /* permissions only */
	uint32_t uid;
	uint32_t gid;
	int64_t mtime_s;
};

/* ERROR_DAMAGED where the checksum is not that of the block, ERROR_UNSAFE where
 * it is and Incus would not have written it. */
int tar_header_read(const unsigned char block[TAR_BLOCK_BYTES],
    struct tar_header *ret_header, struct error *err);

#endif
