/* sftp_wire.h - packets of the SSH File Transfer Protocol, version 3
 * (draft-ietf-secsh-filexfer-02), built and taken apart byte by byte
 *
 * Nothing from the other side is believed: every length is checked against what
 * is there before it is used. */

#ifndef ANKLUME_INCUS_SFTP_WIRE_H
#define ANKLUME_INCUS_SFTP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Packet types, section 3. */
enum sftp_type {
	SFTP_INIT = 1,
	SFTP_VERSION = 2,
	SFTP_OPEN = 3,
	SFTP_CLOSE = 4,
	SFTP_READ = 5,
	SFTP_WRITE = 6,
	SFTP_LSTAT = 7,
	SFTP_FSTAT = 8,
	SFTP_SETSTAT = 9,
	SFTP_FSETSTAT = 10,
	SFTP_OPENDIR = 11,
	SFTP_READDIR = 12,
	SFTP_REMOVE = 13,
	SFTP_MKDIR = 14,
	SFTP_STAT = 17,
	SFTP_READLINK = 19,
	SFTP_SYMLINK = 20,
	SFTP_STATUS = 101,
	SFTP_HANDLE = 102,
	SFTP_DATA = 103,
	SFTP_NAME = 104,
	SFTP_ATTRS = 105,
	SFTP_EXTENDED = 200,
	SFTP_EXTENDED_REPLY = 201,
};

/* Status codes, section 7. */
enum sftp_status {
	SFTP_OK = 0,
	SFTP_EOF = 1,
	SFTP_NO_SUCH_FILE = 2,
	SFTP_PERMISSION_DENIED = 3,
	SFTP_FAILURE = 4,
	SFTP_BAD_MESSAGE = 5,
	SFTP_OP_UNSUPPORTED = 8,
};

/* Open flags, section 6.3. */
#define SFTP_OPEN_READ 0x01U
#define SFTP_OPEN_WRITE 0x02U
#define SFTP_OPEN_CREATE 0x08U
#define SFTP_OPEN_EXCLUSIVE 0x20U

/* Attribute flags, section 5. */
#define SFTP_HAS_SIZE 0x01U
#define SFTP_HAS_OWNER 0x02U
#define SFTP_HAS_MODE 0x04U
#define SFTP_HAS_TIMES 0x08U
#define SFTP_HAS_EXTENDED 0x80000000U

/* The largest packet that pkg/sftp, the daemon's server, sends or takes
 * (pkg/sftp, packet.go, maxMsgLength). */
#define SFTP_PACKET_MAX_BYTES (256U * 1024U)

/* Section 6.2: handles must not be longer. */
#define SFTP_HANDLE_MAX_BYTES 256U

/* Linux, PATH_MAX. */
#define SFTP_PATH_MAX_BYTES 4096U

struct sftp_attributes {
	uint32_t flags; /* which of these are there */
	uint64_t size_bytes;
	uint32_t uid;
	uint32_t gid;
	uint32_t mode; /* with the type, as in stat(2) */
	uint32_t atime_s;
	uint32_t mtime_s;
};

struct sftp_handle {
	const char *path; /* of what it is a handle; borrowed, for messages */
	size_t size;
	unsigned char bytes[SFTP_HANDLE_MAX_BYTES];
};

/* A request that is being built. Room for two paths and what goes with them;
 * the data of a WRITE is not copied here. Overflow is remembered. */
struct sftp_packet {
	const char *about; /* the last path or handle in it; borrowed */
	size_t size;
	bool overflow;
	unsigned char bytes[2 * SFTP_PATH_MAX_BYTES + 512];
};

/* Begin a packet: room for length, type and id, which the session fills. */
void sftp_packet_start(struct sftp_packet *packet, enum sftp_type type);
void sftp_put_u32(struct sftp_packet *packet, uint32_t value);
void sftp_put_u64(struct sftp_packet *packet, uint64_t value);
void sftp_put_bytes(struct sftp_packet *packet, const void *bytes, size_t size);

/* What is put in by these two must stay until the request is answered. */
void sftp_put_text(struct sftp_packet *packet, const char *text);
void sftp_put_handle(
    struct sftp_packet *packet, const struct sftp_handle *handle);
void sftp_put_attributes(
    struct sftp_packet *packet, const struct sftp_attributes *attributes);

/* A reply that is being read. After a read past its end, `bad` is set and every
 * further read gives zero. */
struct sftp_cursor {
	const unsigned char *next;
	size_t left;
	bool bad;
};

uint8_t sftp_get_u8(struct sftp_cursor *cursor);
uint32_t sftp_get_u32(struct sftp_cursor *cursor);
uint64_t sftp_get_u64(struct sftp_cursor *cursor);

/* A string's place inside the reply; its length in *ret_size. */
const unsigned char *sftp_get_bytes(
    struct sftp_cursor *cursor, size_t *ret_size);
/* Attributes without a size (of a file on Linux) or a mode are bad. */
void sftp_get_attributes(
    struct sftp_cursor *cursor, struct sftp_attributes *ret_attributes);

/* Big-endian, for the session's frames. */
void sftp_store_u32(unsigned char *bytes, uint32_t value);
uint32_t sftp_load_u32(const unsigned char *bytes);

#endif
