#include "stream/unpack.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "stream/openpgp.h"
#include "stream/peek.h"
#include "stream/stream.h"

/* Compressions that Incus also writes when asked, and that we do not read. */
static const struct {
	const char *magic;
	size_t size;
	const char *name;
	const char *remedy;
} foreign[] = {
    {"\xfd"
     "7zXZ",
	5, "xz", "xz -dc FILE | anklume backup restore -"},
    {"BZh", 3, "bzip2", "bzip2 -dc FILE | anklume backup restore -"},
    {"\x04\x22\x4d\x18", 4, "lz4", "lz4 -dc FILE | anklume backup restore -"},
    {"hsqs", 4, "squashfs", "incus import FILE"},
};

static int
refuse_foreign(const unsigned char *head, size_t size, struct error *err)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (size < foreign[i].size ||
		    memcmp(head, foreign[i].magic, foreign[i].size) != 0)
			continue;
		error_set(err, ERROR_DAMAGED, _("%s archives are not read"),
		    foreign[i].name);
		return error_hint(err, "%s", foreign[i].remedy);
	}
	return 0;
}

struct stream *
unpack_new(struct stream *from, struct packing *ret_packing, struct error *err)
{
	struct packing found = {0};
	const unsigned char *head;
	size_t size;

	from = peek_new(from, err);
	if (from == NULL)
		return NULL;
	head = peek_bytes(from, &size);
	if (size == 0) {
		error_set(err, ERROR_DAMAGED, _("it is empty"));
		return stream_refuse(from);
	}

	found.encrypted = openpgp_detect(head, size);
	if (found.encrypted) {
		from = peek_new(openpgp_decrypt_new(from, err), err);
		if (from == NULL)
			return NULL;
		head = peek_bytes(from, &size);
	}

	if (refuse_foreign(head, size, err) < 0)
		return stream_refuse(from);
	found.compression = compression_detect(head, size);
	*ret_packing = found;
	return decompress_new(from, found.compression, err);
}
