#include "stream/tar_header.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"

/* Where the fields are (POSIX). */
struct field {
	size_t at;
	size_t size;
};

static const struct field field_name = {0, 100};
static const struct field field_size = {124, 12};
static const struct field field_checksum = {148, 8};
static const size_t field_type = 156;
static const struct field field_link = {157, 100};
static const struct field field_magic = {257, 8};
static const struct field field_prefix = {345, 155};
static const struct field field_rest = {500, 12};

static const struct field field_mode = {100, 8};
static const struct field field_uid = {108, 8};
static const struct field field_gid = {116, 8};
static const struct field field_mtime = {136, 12};
static const struct field field_major = {329, 8};
static const struct field field_minor = {337, 8};

static int
refuse(const char *what, struct error *err)
{
	return error_set(err, ERROR_UNSAFE,
	    _("Incus does not write such a tar header: %s"), what);
}

/* Octal digits, and then only blanks and NULs. An empty field is no number. */
static bool
read_octal(
    const unsigned char *block, const struct field *field, uint64_t *ret_value)
{
	const unsigned char *bytes = block + field->at;
	uint64_t value = 0;
	size_t i = 0;

	for (; i < field->size && bytes[i] >= '0' && bytes[i] <= '7'; i++)
		value = value * 8 + (uint64_t)(bytes[i] - '0');
	*ret_value = value;
	if (i == 0)
		return false;
	for (; i < field->size; i++) {
		if (bytes[i] != ' ' && bytes[i] != '\0')
			return false;
	}
	return true;
}

static bool
is_zero(const unsigned char *block, const struct field *field)
{
	for (size_t i = 0; i < field->size; i++) {
		if (block[field->at + i] != 0)
			return false;
	}
	return true;
}

/* The length of a text that fills its field or ends with NULs; -1 where
 * something follows its end. */
static int
text_length(const unsigned char *block, const struct field *field)
{
	const char *text = (const char *)block + field->at;
	size_t length = strnlen(text, field->size);
	const struct field rest = {field->at + length, field->size - length};

	return is_zero(block, &rest) ? (int)length : -1;
}

/* The sum of all bytes as unsigned ones, those of the sum itself as blanks. */
static bool
sum_is_right(const unsigned char *block)
{
	uint64_t said = 0;
	uint64_t sum = 0;

	for (size_t i = 0; i < TAR_BLOCK_BYTES; i++) {
		bool own = i >= field_checksum.at &&
			   i < field_checksum.at + field_checksum.size;

		sum += own ? ' ' : block[i];
	}
	return read_octal(block, &field_checksum, &said) && said == sum;
}

static int
read_names(
    const unsigned char *block, struct tar_header *header, struct error *err)
{
	int name = text_length(block, &field_name);
	int link = text_length(block, &field_link);
	int prefix = text_length(block, &field_prefix);
	char *end = header->name;

	if (name < 0 || link < 0 || prefix < 0)
		return refuse(_("something stands behind a name"), err);
	if (prefix > 0) {
		memcpy(end, block + field_prefix.at, (size_t)prefix);
		end += prefix;
		*end++ = '/';
	}
	memcpy(end, block + field_name.at, (size_t)name);
	memcpy(header->link, block + field_link.at, (size_t)link);
	return 0;
}

static int
read_type(unsigned char letter, struct tar_header *header, struct error *err)
{
	if ((letter < TAR_FILE || letter > TAR_FIFO) && letter != TAR_PAX)
		return error_set(err, ERROR_UNSAFE,
		    _("Incus does not write a tar member of type '%c'"),
		    letter != '\0' ? letter : ' ');
	header->type = (enum tar_type)letter;
	return 0;
}

/* A number that may be left out. */
static bool
read_claim(
    const unsigned char *block, const struct field *field, uint64_t *ret_value)
{
	if (read_octal(block, field, ret_value))
		return true;
	*ret_value = 0;
	return is_zero(block, field);
}

static int
read_claims(
    const unsigned char *block, struct tar_header *header, struct error *err)
{
	uint64_t mode;
	uint64_t uid;
	uint64_t gid;
	uint64_t mtime_s;
	uint64_t unused;

	if (!read_claim(block, &field_mode, &mode) ||
	    !read_claim(block, &field_uid, &uid) ||
	    !read_claim(block, &field_gid, &gid) ||
	    !read_claim(block, &field_mtime, &mtime_s) ||
	    !read_claim(block, &field_major, &unused) ||
	    !read_claim(block, &field_minor, &unused))
		return refuse(_("a number that is none"), err);
	header->mode = (uint32_t)(mode & 07777U);
	header->uid = (uint32_t)uid;
	header->gid = (uint32_t)gid;
	header->mtime_s = (int64_t)mtime_s;
	return 0;
}

int
tar_header_read(const unsigned char block[TAR_BLOCK_BYTES],
    struct tar_header *ret_header, struct error *err)
{
	struct tar_header header = {0};

	if (!sum_is_right(block))
		return error_set(err, ERROR_DAMAGED,
		    _("the tar is damaged: a header has a wrong checksum"));
	if (memcmp(block + field_magic.at, "ustar\00000", field_magic.size) !=
	    0)
		return refuse(_("another format than ustar"), err);
	if (!read_octal(block, &field_size, &header.size_bytes))
		return refuse(_("a size that is no number"), err);
	if (!is_zero(block, &field_rest))
		return refuse(_("something stands behind its end"), err);
	if (read_claims(block, &header, err) < 0 ||
	    read_names(block, &header, err) < 0 ||
	    read_type(block[field_type], &header, err) < 0)
		return -1;
	*ret_header = header;
	return 0;
}
