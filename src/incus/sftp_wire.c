#include "incus/sftp_wire.h"

#include <string.h>

void
sftp_store_u32(unsigned char *bytes, uint32_t value)
{
	bytes[0] = (unsigned char)(value >> 24);
	bytes[1] = (unsigned char)(value >> 16);
	bytes[2] = (unsigned char)(value >> 8);
	bytes[3] = (unsigned char)value;
}

uint32_t
sftp_load_u32(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
}

void
sftp_packet_start(struct sftp_packet *packet, enum sftp_type type)
{
	/* Length and id are the session's. */
	memset(packet->bytes, 0, 9);
	packet->bytes[4] = (unsigned char)type;
	packet->about = NULL;
	packet->size = 9;
	packet->overflow = false;
}

static unsigned char *
claim(struct sftp_packet *packet, size_t size)
{
	unsigned char *place = packet->bytes + packet->size;

	if (size > sizeof(packet->bytes) - packet->size) {
		packet->overflow = true;
		return NULL;
	}
	packet->size += size;
	return place;
}

void
sftp_put_u32(struct sftp_packet *packet, uint32_t value)
{
	unsigned char *place = claim(packet, 4);

	if (place != NULL)
		sftp_store_u32(place, value);
}

void
sftp_put_u64(struct sftp_packet *packet, uint64_t value)
{
	sftp_put_u32(packet, (uint32_t)(value >> 32));
	sftp_put_u32(packet, (uint32_t)value);
}

void
sftp_put_bytes(struct sftp_packet *packet, const void *bytes, size_t size)
{
	unsigned char *place;

	sftp_put_u32(packet, (uint32_t)size);
	place = claim(packet, size);
	if (place != NULL && size > 0)
		memcpy(place, bytes, size);
}

void
sftp_put_text(struct sftp_packet *packet, const char *text)
{
	sftp_put_bytes(packet, text, strlen(text));
	packet->about = text;
}

void
sftp_put_handle(struct sftp_packet *packet, const struct sftp_handle *handle)
{
	sftp_put_bytes(packet, handle->bytes, handle->size);
	packet->about = handle->path;
}

void
sftp_put_attributes(
    struct sftp_packet *packet, const struct sftp_attributes *attributes)
{
	uint32_t flags = attributes->flags;

	sftp_put_u32(packet, flags);
	if ((flags & SFTP_HAS_SIZE) != 0)
		sftp_put_u64(packet, attributes->size_bytes);
	if ((flags & SFTP_HAS_OWNER) != 0) {
		sftp_put_u32(packet, attributes->uid);
		sftp_put_u32(packet, attributes->gid);
	}
	if ((flags & SFTP_HAS_MODE) != 0)
		sftp_put_u32(packet, attributes->mode);
	if ((flags & SFTP_HAS_TIMES) != 0) {
		sftp_put_u32(packet, attributes->atime_s);
		sftp_put_u32(packet, attributes->mtime_s);
	}
}

static const unsigned char *
take(struct sftp_cursor *cursor, size_t size)
{
	const unsigned char *place = cursor->next;

	if (cursor->bad || size > cursor->left) {
		cursor->bad = true;
		return NULL;
	}
	cursor->next += size;
	cursor->left -= size;
	return place;
}

uint8_t
sftp_get_u8(struct sftp_cursor *cursor)
{
	const unsigned char *place = take(cursor, 1);

	return place != NULL ? *place : 0;
}

uint32_t
sftp_get_u32(struct sftp_cursor *cursor)
{
	const unsigned char *place = take(cursor, 4);

	return place != NULL ? sftp_load_u32(place) : 0;
}

uint64_t
sftp_get_u64(struct sftp_cursor *cursor)
{
	uint64_t high = sftp_get_u32(cursor);

	return high << 32 | sftp_get_u32(cursor);
}

const unsigned char *
sftp_get_bytes(struct sftp_cursor *cursor, size_t *ret_size)
{
	size_t size = sftp_get_u32(cursor);
	const unsigned char *place = take(cursor, size);

	*ret_size = place != NULL ? size : 0;
	return place;
}

void
sftp_get_attributes(
    struct sftp_cursor *cursor, struct sftp_attributes *ret_attributes)
{
	struct sftp_attributes found = {.flags = sftp_get_u32(cursor)};
	uint32_t extended;
	size_t ignored;

	if ((found.flags & SFTP_HAS_SIZE) != 0)
		found.size_bytes = sftp_get_u64(cursor);
	if ((found.flags & SFTP_HAS_OWNER) != 0) {
		found.uid = sftp_get_u32(cursor);
		found.gid = sftp_get_u32(cursor);
	}
	if ((found.flags & SFTP_HAS_MODE) != 0)
		found.mode = sftp_get_u32(cursor);
	if ((found.flags & SFTP_HAS_TIMES) != 0) {
		found.atime_s = sftp_get_u32(cursor);
		found.mtime_s = sftp_get_u32(cursor);
	}
	if ((found.flags & SFTP_HAS_EXTENDED) != 0) {
		extended = sftp_get_u32(cursor);
		/* Each pair takes 8 bytes at least: a lie ends here. */
		for (; extended > 0 && !cursor->bad; extended--) {
			(void)sftp_get_bytes(cursor, &ignored);
			(void)sftp_get_bytes(cursor, &ignored);
		}
	}
	if ((found.flags & SFTP_HAS_SIZE) == 0 ||
	    (found.flags & SFTP_HAS_MODE) == 0 || found.size_bytes > INT64_MAX)
		cursor->bad = true;
	*ret_attributes = found;
}
