#include "stream/tar_pax.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/name_set.h"
#include "base/text.h"
#include "stream/tar_header.h"

/* Linux: XATTR_NAME_MAX, and the prefix. */
#define KEY_BYTES 320

#define XATTR_PREFIX "SCHILY.xattr."

/* One record; borrowed from the header. */
struct record {
	char key[KEY_BYTES];
	const char *value;
	size_t size;
};

static int
refuse(const char *why, struct error *err)
{
	return error_set(err, ERROR_UNSAFE,
	    _("Incus does not write such a pax header: %s"), why);
}

/* "<length> <key>=<value>\n", where the length is that of all of it. Goes on to
 * the next; false where this is none. */
static bool
next_record(const char **next, const char *end, struct record *ret)
{
	const char *start = *next;
	const char *blank = memchr(start, ' ', (size_t)(end - start));
	char digits[16] = {0};
	uint64_t length;
	const char *equals;
	const char *last;

	if (blank == NULL || blank == start ||
	    (size_t)(blank - start) >= sizeof(digits) || *start == '0')
		return false;
	memcpy(digits, start, (size_t)(blank - start));
	if (!text_parse_number(digits, (uint64_t)(end - start), &length) ||
	    length < (uint64_t)(blank - start) + 2)
		return false;
	last = start + length - 1;
	equals = memchr(blank + 1, '=', (size_t)(last - blank - 1));
	if (*last != '\n' || equals == NULL || equals == blank + 1 ||
	    (size_t)(equals - blank - 1) >= sizeof(ret->key))
		return false;

	memset(ret->key, 0, sizeof(ret->key));
	memcpy(ret->key, blank + 1, (size_t)(equals - blank - 1));
	ret->value = equals + 1;
	ret->size = (size_t)(last - ret->value);
	*next = last + 1;
	return strlen(ret->key) == (size_t)(equals - blank - 1);
}

static int
take_name(
    const struct record *record, char name[TAR_NAME_BYTES], struct error *err)
{
	if (record->size == 0 || record->size >= TAR_NAME_BYTES ||
	    memchr(record->value, '\0', record->size) != NULL)
		return refuse(_("a name that is none"), err);
	memcpy(name, record->value, record->size);
	name[record->size] = '\0';
	return 0;
}

static int
refuse_number(struct error *err)
{
	return refuse(_("a number that is none"), err);
}

/* `size` digits, as a text would have them. */
static bool
read_digits(const char *digits, size_t size, uint64_t *ret_value)
{
	char text[24] = {0};

	if (size == 0 || size >= sizeof(text))
		return false;
	memcpy(text, digits, size);
	return strlen(text) == size &&
	       text_parse_number(text, INT64_MAX, ret_value);
}

/* Go writes the fraction of a second where there is one. */
static int
take_time(const struct record *record, int64_t *ret_seconds, struct error *err)
{
	const char *digits = record->value;
	size_t size = record->size;
	bool negative = size > 0 && *digits == '-';
	const char *point = memchr(digits, '.', size);
	uint64_t seconds;
	uint64_t fraction;

	if (point != NULL) {
		if (!read_digits(point + 1, size - (size_t)(point + 1 - digits),
			&fraction))
			return refuse_number(err);
		size = (size_t)(point - digits);
	}
	if (!read_digits(digits + negative, size - (size_t)negative, &seconds))
		return refuse_number(err);
	*ret_seconds = negative ? -(int64_t)seconds : (int64_t)seconds;
	return 0;
}

static int
take_id(const struct record *record, bool *ret_has, uint32_t *ret_id,
    struct error *err)
{
	uint64_t id;

	if (!read_digits(record->value, record->size, &id) || id > UINT32_MAX)
		return refuse_number(err);
	*ret_has = true;
	*ret_id = (uint32_t)id;
	return 0;
}

/* Only for what its own field cannot hold. */
static int
take_size(const struct record *record, struct tar_pax *pax, struct error *err)
{
	if (!read_digits(record->value, record->size, &pax->size_bytes) ||
	    pax->size_bytes <= TAR_HEADER_SIZE_MAX)
		return refuse(_("a size that is no number"), err);
	pax->has_size = true;
	return 0;
}

/* What nobody here has a use for. */
static bool
is_ignored(const struct record *record)
{
	return strcmp(record->key, "uname") == 0 ||
	       strcmp(record->key, "gname") == 0 ||
	       (text_starts_with(record->key, XATTR_PREFIX) &&
		   strlen(record->key) > strlen(XATTR_PREFIX));
}

static int
take_record(const struct record *record, struct tar_pax *pax, struct error *err)
{
	int64_t unused;

	if (strcmp(record->key, "path") == 0)
		return take_name(record, pax->path, err);
	if (strcmp(record->key, "linkpath") == 0)
		return take_name(record, pax->link, err);
	if (strcmp(record->key, "size") == 0)
		return take_size(record, pax, err);
	if (strcmp(record->key, "uid") == 0)
		return take_id(record, &pax->has_uid, &pax->uid, err);
	if (strcmp(record->key, "gid") == 0)
		return take_id(record, &pax->has_gid, &pax->gid, err);
	if (strcmp(record->key, "atime") == 0 ||
	    strcmp(record->key, "ctime") == 0)
		return take_time(record, &unused, err);
	if (strcmp(record->key, "mtime") == 0) {
		pax->has_mtime = true;
		return take_time(record, &pax->mtime_s, err);
	}
	if (is_ignored(record))
		return 0;
	return error_set(err, ERROR_UNSAFE,
	    _("Incus does not write '%s' in a pax header"), record->key);
}

void
tar_pax_clear(struct tar_pax *pax)
{
	pax->path[0] = pax->link[0] = '\0';
	pax->has_size = pax->has_uid = pax->has_gid = pax->has_mtime = false;
}

int
tar_pax_read(
    const char *bytes, size_t size, struct tar_pax *ret_pax, struct error *err)
{
	const char *next = bytes;
	const char *end = bytes + size;
	struct name_set seen = {0};
	struct record record;
	int status = 0;

	tar_pax_clear(ret_pax);
	while (status == 0 && next < end) {
		int fresh;

		if (!next_record(&next, end, &record)) {
			status = refuse(_("a record that is none"), err);
			break;
		}
		fresh = name_set_add(&seen, record.key, err);
		if (fresh < 0)
			status = -1;
		else if (fresh == 0)
			status = refuse(_("a record that stands twice"), err);
		else
			status = take_record(&record, ret_pax, err);
	}
	name_set_clear(&seen);
	return status;
}
