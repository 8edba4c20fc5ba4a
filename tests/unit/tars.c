#include "tars.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>

const char tar_index_text[] = "name: web\n"
			      "backend: dir\n"
			      "pool: default\n"
			      "snapshots: []\n"
			      "optimized: false\n"
			      "type: container\n";

#define LETTERS_50 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"
#define LETTERS_200 LETTERS_50 LETTERS_50 LETTERS_50 LETTERS_50

static void
describe(struct archive_entry *entry, const struct tar_member *member)
{
	archive_entry_set_pathname(entry, member->name);
	archive_entry_set_mode(entry, (mode_t)(member->type | 0644));
	archive_entry_set_uid(entry, 1000000);
	archive_entry_set_gid(entry, 1000000);
	/* Nanoseconds ask for a pax header, as they do in Incus. */
	archive_entry_set_mtime(entry, 1795316645, 123456789);
	if (member->type == S_IFLNK)
		archive_entry_set_symlink(entry, member->target);
	if (member->type == 0) {
		archive_entry_set_mode(entry, S_IFREG | 0644);
		archive_entry_set_hardlink(entry, member->target);
	}
	if (member->type == S_IFCHR) {
		archive_entry_set_rdevmajor(entry, 1);
		archive_entry_set_rdevminor(entry, 3);
	}
	if (member->type == S_IFREG)
		archive_entry_set_size(entry, (la_int64_t)member->size);
	if (member->with_xattr)
		archive_entry_xattr_add_entry(
		    entry, "user.note", "a\0b\n=c", 6);
}

struct bytes
tar_make(const struct tar_member *members)
{
	struct archive *archive = archive_write_new();
	size_t room = 100000;
	size_t used = 0;
	struct bytes tar;

	for (const struct tar_member *m = members; m->name != NULL; m++)
		room += m->size + 10 * (size_t)TAR_BLOCK;
	tar = bytes_zero(room);
	assert_int_equal(archive_write_set_format_pax(archive), ARCHIVE_OK);
	(void)archive_write_set_bytes_per_block(archive, TAR_BLOCK);
	(void)archive_write_set_bytes_in_last_block(archive, 1);
	assert_int_equal(
	    archive_write_open_memory(archive, tar.data, room, &used),
	    ARCHIVE_OK);

	for (const struct tar_member *m = members; m->name != NULL; m++) {
		struct archive_entry *entry = archive_entry_new();

		describe(entry, m);
		assert_int_equal(
		    archive_write_header(archive, entry), ARCHIVE_OK);
		if (m->type == S_IFREG)
			assert_int_equal(
			    archive_write_data(archive, m->content, m->size),
			    (la_ssize_t)m->size);
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
	assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
	tar.size = used;
	return tar;
}

struct bytes
tar_of_container(void)
{
	static const char zeros[3000];
	const struct tar_member members[] = {
	    {"backup/index.yaml", S_IFREG, tar_index_text,
		sizeof(tar_index_text) - 1, NULL, false},
	    {"backup/container", S_IFDIR, NULL, 0, NULL, false},
	    {"backup/container/backup.yaml", S_IFREG, "container: {}\n", 14,
		NULL, false},
	    {"backup/container/rootfs", S_IFDIR, NULL, 0, NULL, true},
	    {"backup/container/rootfs/empty", S_IFREG, "", 0, NULL, true},
	    {"backup/container/rootfs/" LETTERS_200, S_IFREG, "x", 1, NULL,
		false},
	    {"backup/container/rootfs/link", S_IFLNK, NULL, 0, "empty", false},
	    {"backup/container/rootfs/null", S_IFCHR, NULL, 0, NULL, false},
	    {"backup/container/rootfs/fifo", S_IFIFO, NULL, 0, NULL, false},
	    {"backup/container/rootfs/hard", 0, NULL, 0,
		"backup/container/rootfs/empty", false},
	    {"backup/container/rootfs/zeros", S_IFREG, zeros, sizeof(zeros),
		NULL, false},
	    {0},
	};

	return tar_make(members);
}

void
tar_add_zeros(struct bytes *tar, size_t size)
{
	auto_bytes struct bytes zeros = bytes_zero(size);

	bytes_add(tar, zeros.data, size);
}

static void
add_header(struct bytes *tar, const char *name, uint64_t size, char type,
    const char *target)
{
	unsigned char block[TAR_BLOCK] = {0};
	char number[16];
	unsigned int sum = 0;

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
	memcpy(block + 148, "        ", 8);
	block[156] = (unsigned char)type;
	memcpy(block + 157, target, strlen(target));
	memcpy(block + 257, "ustar\00000", 8);

	for (size_t i = 0; i < sizeof(block); i++)
		sum += block[i];
	(void)snprintf(number, sizeof(number), "%06o", sum);
	memcpy(block + 148, number, 7);
	bytes_add(tar, block, sizeof(block));
}

void
tar_add_header(struct bytes *tar, const char *name, uint64_t size, char type)
{
	add_header(tar, name, size, type, "");
}

void
tar_add_hard_link(
    struct bytes *tar, const char *name, uint64_t size, const char *target)
{
	add_header(tar, name, size, '1', target);
}

void
tar_add_data(struct bytes *tar, const void *data, size_t size)
{
	bytes_add(tar, data, size);
	tar_add_zeros(tar, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

void
tar_add_pax(struct bytes *tar, const char *key, const char *value)
{
	/* "<length> <key>=<value>\n", the length of all of it, in two digits
	 * or three. */
	size_t bare = strlen(key) + strlen(value) + 3;
	size_t length = bare + (bare + 2 < 100 ? 2 : 3);
	char record[600];

	assert_in_range(length, 10, sizeof(record) - 1);
	(void)snprintf(
	    record, sizeof(record), "%zu %s=%s\n", length, key, value);
	assert_int_equal(strlen(record), length);
	tar_add_header(tar, "PaxHeaders/x", length, 'x');
	tar_add_data(tar, record, length);
}
