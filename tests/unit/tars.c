#include "tars.h"

#include <stdio.h>
#include <string.h>

#define CONFIG                                                                 \
	"{container: {name: web, type: container, architecture: x86_64,\n"     \
	"  config: {user.a: b}, devices: {}, profiles: [default],\n"           \
	"  expanded_devices: {root: {type: disk, path: /, pool: default}}},\n" \
	"  pool: {name: default, driver: dir}, volume: {name: web},\n"         \
	"  profiles: [{name: default, config: {}, devices: {}}]}\n"

const char tar_config_text[] = CONFIG;
const char tar_index_text[] = "name: web\n"
			      "backend: dir\n"
			      "pool: default\n"
			      "snapshots: []\n"
			      "optimized: false\n"
			      "type: container\n"
			      "config:\n"
			      "  " CONFIG;

#define LETTERS_50 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"
#define LETTERS_200 LETTERS_50 LETTERS_50 LETTERS_50 LETTERS_50

void
tar_add_zeros(struct bytes *tar, size_t size)
{
	auto_bytes struct bytes zeros = bytes_zero(size);

	bytes_add(tar, zeros.data, size);
}

void
tar_sum(struct bytes *tar, size_t offset)
{
	unsigned char *block = tar->data + offset;
	char number[8];
	unsigned int sum = 0;

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += block[i];
	(void)snprintf(number, sizeof(number), "%06o", sum);
	memcpy(block + 148, number, 7);
}

void
tar_add_link(struct bytes *tar, const char *name, uint64_t size, char type,
    const char *target)
{
	unsigned char block[TAR_BLOCK] = {0};
	char number[16];

	assert_in_range(strlen(name), 0, 100);
	assert_in_range(strlen(target), 0, 100);
	memcpy(block, name, strlen(name));
	memcpy(block + 100, "0000644", 8);
	memcpy(block + 108, "0000000", 8);
	memcpy(block + 116, "0000000", 8);
	(void)snprintf(
	    number, sizeof(number), "%011llo", (unsigned long long)size);
	memcpy(block + 124, number, 12);
	memcpy(block + 136, "00000000000", 12);
	block[156] = (unsigned char)type;
	memcpy(block + 157, target, strlen(target));
	memcpy(block + 257, "ustar\00000", 8);
	bytes_add(tar, block, sizeof(block));
	tar_sum(tar, tar->size - TAR_BLOCK);
}

void
tar_add_header(struct bytes *tar, const char *name, uint64_t size, char type)
{
	tar_add_link(tar, name, size, type, "");
}

void
tar_add_data(struct bytes *tar, const void *data, size_t size)
{
	bytes_add(tar, data, size);
	tar_add_zeros(tar, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

void
tar_add_records(struct bytes *tar, const void *records, size_t size)
{
	tar_add_header(tar, "PaxHeaders.0/x", size, 'x');
	tar_add_data(tar, records, size);
}

/* "<length> <key>=<value>\n", the length of all of it. */
static void
add_record(
    struct bytes *records, const char *key, const void *value, size_t size)
{
	size_t bare = strlen(key) + size + 3;
	size_t length = bare + 1;
	char start[600];

	while (length != bare + (size_t)snprintf(NULL, 0, "%zu", length))
		length++;
	(void)snprintf(start, sizeof(start), "%zu %s=", length, key);
	bytes_add(records, start, strlen(start));
	bytes_add(records, value, size);
	bytes_add(records, "\n", 1);
}

void
tar_add_pax(struct bytes *tar, const char *key, const char *value)
{
	auto_bytes struct bytes records = {0};

	add_record(&records, key, value, strlen(value));
	tar_add_records(tar, records.data, records.size);
}

/* What its header cannot hold. */
static void
add_entry(struct bytes *tar, const struct tar_entry *entry)
{
	auto_bytes struct bytes records = {0};
	bool is_long = strlen(entry->name) > 100;

	if (entry->with_xattr)
		add_record(&records, "SCHILY.xattr.user.note", "a\0b\n=c", 6);
	/* Nanoseconds ask for a pax header, as they do in Incus. */
	if (entry->with_xattr)
		add_record(&records, "mtime", "1795316645.123456789", 20);
	if (is_long)
		add_record(&records, "path", entry->name, strlen(entry->name));
	if (records.size > 0)
		tar_add_records(tar, records.data, records.size);
	tar_add_link(tar, is_long ? "x" : entry->name, entry->size, entry->type,
	    entry->target != NULL ? entry->target : "");
	if (entry->size > 0)
		tar_add_data(tar, entry->content, entry->size);
}

struct bytes
tar_make(const struct tar_entry *entries)
{
	struct bytes tar = {0};

	for (; entries->name != NULL; entries++)
		add_entry(&tar, entries);
	tar_add_zeros(&tar, 2 * (size_t)TAR_BLOCK);
	return tar;
}

void
tar_add_beginning(struct bytes *tar)
{
	const struct tar_entry entries[] = {TAR_BEGINNING, {0}};
	auto_bytes struct bytes made = tar_make(entries);

	bytes_add(tar, made.data, made.size - 2 * (size_t)TAR_BLOCK);
}

struct bytes
tar_of_container(void)
{
	static const char zeros[3000];
	const struct tar_entry entries[] = {
	    TAR_BEGINNING,
	    {"backup/container/metadata.yaml", '0', "a: b\n", 5, NULL, false},
	    {"backup/container/rootfs/empty", '0', "", 0, NULL, true},
	    {"backup/container/rootfs/" LETTERS_200, '0', "x", 1, NULL, false},
	    {"backup/container/rootfs/link", '2', NULL, 0, "empty", false},
	    {"backup/container/rootfs/null", '3', NULL, 0, NULL, false},
	    {"backup/container/rootfs/fifo", '6', NULL, 0, NULL, false},
	    {"backup/container/rootfs/hard", '1', NULL, 0,
		"backup/container/rootfs/empty", false},
	    {"backup/container/rootfs/zeros", '0', zeros, sizeof(zeros), NULL,
		false},
	    {0},
	};

	return tar_make(entries);
}
