#include "stream/backup_check.h"

#include <stdio.h>
#include <string.h>

#include "tars.h"

#define ROOTFS "backup/container/rootfs/"

static int
count_index(void *data, const json_t *root, struct error *err)
{
	(void)err;
	assert_string_equal(json_text(root, "name"), "web");
	(*(int *)data)++;
	return 0;
}

static int
check(const struct bytes *tar, size_t chunk, struct backup_counts *counts,
    struct error *err)
{
	int indexes = 0;
	struct stream *from =
	    source_new(tar->data, tar->size, chunk, SOURCE_ENDS);
	const struct backup_listener listener = {
	    .data = &indexes, .on_index = count_index};
	int status = backup_check(from, &listener, counts, err);

	assert_true(status < 0 || indexes == 1);
	stream_free(from);
	return status;
}

static void
accept_tar(const struct bytes *tar, uint64_t entries, const char *what)
{
	static const size_t chunks[] = {0, 511, 513, 10000};

	for (size_t i = 0; i < COUNT(chunks); i++) {
		struct backup_counts counts = {0};
		struct error err = {0};

		if (check(tar, chunks[i], &counts, &err) < 0)
			fail_msg("%s: %s", what, err.text);
		assert_int_equal(counts.entries, entries);
		assert_int_equal(counts.tar_size_bytes, tar->size);
	}
}

static void
refuse_tar(const struct bytes *tar, enum error_code code, const char *what)
{
	static const size_t chunks[] = {0, 512, 1000};

	for (size_t i = 0; i < COUNT(chunks); i++) {
		struct backup_counts counts = {0};
		struct error err = {0};

		if (check(tar, chunks[i], &counts, &err) == 0)
			fail_msg("%s was accepted", what);
		if (err.code != code)
			fail_msg("%s: %d, %s", what, err.code, err.text);
		assert_int_equal(counts.entries, 0);
	}
}

static void
end(struct bytes *tar)
{
	tar_add_zeros(tar, 2 * (size_t)TAR_BLOCK);
}

/* Whole tars -------------------------------------------------------------- */

static void
what_incus_writes_is_accepted(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();

	(void)state;
	accept_tar(&tar, TAR_OF_CONTAINER_ENTRIES, "a container");
}

/* Members larger than the buffers, and one of each small size. */
static void
members_of_any_size_are_accepted(void **state)
{
	auto_bytes struct bytes noise = bytes_random(700001, 4);
	auto_bytes struct bytes tar = {0};
	const struct tar_entry entries[] = {TAR_BEGINNING,
	    {ROOTFS "511", '0', noise.data, 511, NULL, false},
	    {ROOTFS "512", '0', noise.data, 512, NULL, false},
	    {ROOTFS "513", '0', noise.data, 513, NULL, false},
	    {ROOTFS "large", '0', noise.data, noise.size, NULL, true},
	    {ROOTFS "buffer", '0', noise.data, STREAM_BUFFER_BYTES, NULL,
		false},
	    {0}};

	(void)state;
	tar = tar_make(entries);
	accept_tar(&tar, TAR_BEGINNING_ENTRIES + 5, "sizes");
}

/* Also right behind a member, and inside the end marker. */
static void
every_truncation_is_damage(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();

	(void)state;
	for (size_t size = 0; size < tar.size; size++) {
		struct bytes cut = {tar.data, size};
		struct backup_counts counts = {0};
		struct error err = {0};

		assert_int_equal(check(&cut, 0, &counts, &err), -1);
		assert_error(&err, ERROR_DAMAGED);
	}
}

static void
padding_may_follow_the_end(void **state)
{
	static const size_t sizes[] = {1, 511, 512, 9216, 10240, 300000};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		auto_bytes struct bytes tar = tar_of_container();

		tar_add_zeros(&tar, sizes[i]);
		accept_tar(&tar, TAR_OF_CONTAINER_ENTRIES, "padding");
	}
}

static void
padding_ends(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();

	(void)state;
	tar_add_zeros(&tar, 4 << 20);
	refuse_tar(&tar, ERROR_DAMAGED, "endless padding");
}

static void
one_zero_block_is_no_end(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();

	(void)state;
	tar.size -= TAR_BLOCK;
	refuse_tar(&tar, ERROR_DAMAGED, "one block");
	tar_add_header(&tar, ROOTFS "more", 0, '0');
	end(&tar);
	refuse_tar(&tar, ERROR_DAMAGED, "one block and a member");
}

static void
data_after_the_end_is_refused(void **state)
{
	static const size_t gaps[] = {
	    0, 1, 511, 512, 1024, 9216, 262144, 400000};

	(void)state;
	for (size_t i = 0; i < COUNT(gaps); i++) {
		auto_bytes struct bytes tar = tar_of_container();

		tar_add_zeros(&tar, gaps[i]);
		bytes_add(&tar, "x", 1);
		refuse_tar(&tar, ERROR_DAMAGED, "a byte behind the end");
	}
}

static void
a_second_tar_is_refused(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();
	auto_bytes struct bytes more = tar_of_container();

	(void)state;
	bytes_add(&tar, more.data, more.size);
	refuse_tar(&tar, ERROR_DAMAGED, "two tars");
}

/* The content of the last member looks like an end marker, and is none. */
static void
zeros_of_a_member_are_no_end(void **state)
{
	(void)state;
	for (size_t blocks = 1; blocks < 20; blocks++) {
		auto_bytes struct bytes tar = {0};

		tar_add_beginning(&tar);
		tar_add_header(&tar, ROOTFS "z", blocks * TAR_BLOCK, '0');
		tar_add_zeros(&tar, blocks * TAR_BLOCK);
		refuse_tar(&tar, ERROR_DAMAGED, "no end");
		end(&tar);
		accept_tar(&tar, TAR_BEGINNING_ENTRIES + 1, "zeros");
	}
}

static void
what_is_no_tar_is_refused(void **state)
{
	static const size_t sizes[] = {0, 1, 511, 512, 513, 1024, 5000, 300000};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		auto_bytes struct bytes noise = bytes_random(sizes[i], 8);
		auto_bytes struct bytes zeros = bytes_zero(sizes[i]);

		refuse_tar(&noise, ERROR_DAMAGED, "noise");
		refuse_tar(&zeros, ERROR_DAMAGED, "zeros");
	}
}

static void
the_sources_error_passes(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();

	(void)state;
	for (size_t size = 0; size <= tar.size; size += 100) {
		int indexes = 0;
		const struct backup_listener listener = {
		    .data = &indexes, .on_index = count_index};
		struct backup_counts counts;
		struct error err = {0};
		struct stream *from =
		    source_new(tar.data, size, 0, SOURCE_FAILS);

		assert_int_equal(
		    backup_check(from, &listener, &counts, &err), -1);
		assert_error(&err, ERROR_UNREACHABLE);
		assert_string_equal(err.text, SOURCE_ERROR);
		stream_free(from);
	}
}

/* Headers ----------------------------------------------------------------- */

/* The checksum covers all bytes of a header. */
static void
a_damaged_header_is_refused(void **state)
{
	auto_bytes struct bytes tar = {0};
	size_t at;

	(void)state;
	tar_add_beginning(&tar);
	at = tar.size;
	tar_add_header(&tar, ROOTFS "x", 0, '0');
	end(&tar);
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		tar.data[at + i] ^= 1;
		refuse_tar(&tar, ERROR_DAMAGED, "a flipped bit");
		tar.data[at + i] ^= 1;
	}
}

/* Whole headers, with a right checksum, that Incus does not write. */
static void
a_strange_header_is_refused(void **state)
{
	static const struct {
		size_t at;
		const char *bytes;
		size_t size;
	} changes[] = {
	    {257, "ustar  ", 8},		     /* GNU tar's own */
	    {257, "\0\0\0\0\0\0\0\0", 8},	     /* version 7 */
	    {124, "\x80\0\0\0\0\0\0\0\0\0\0\0", 12}, /* base-256 */
	    {124, "-0000000001", 12},		     /* negative */
	    {124, "0000000000x", 12},		     /* no number */
	    {124, "\0\0\0\0\0\0\0\0\0\0\0\0", 12},   /* none */
	    {124,
		"000\0"
		"0000000",
		12},				      /* two numbers */
	    {124, "           0", 12},		      /* blanks before */
	    {100, "00006x4", 8},		      /* mode */
	    {108, "\x80\0\0\0\0\0\1", 8},	      /* uid */
	    {136, "\xff\xff\xff\xff\xff\xff\xff", 8}, /* mtime */
	    {156, "\0", 1},			      /* the old kind */
	    {156, "7", 1}, {156, "g", 1}, {156, "L", 1}, {156, "K", 1},
	    {156, "S", 1}, {156, "V", 1}, {156, "M", 1}, {156, "D", 1},
	    {156, "x", 1}, {40, "hidden", 6},  /* behind the name */
	    {157, "target", 6},		       /* of no link */
	    {200, "x", 1},		       /* behind no target */
	    {500, "x", 1}, {345, "backup", 6}, /* prefix */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		auto_bytes struct bytes tar = {0};
		char what[32];
		size_t at;

		(void)snprintf(what, sizeof(what), "change %zu", i);
		tar_add_beginning(&tar);
		at = tar.size;
		tar_add_header(&tar, ROOTFS "x", 0, '0');
		end(&tar);
		memcpy(tar.data + at + changes[i].at, changes[i].bytes,
		    changes[i].size);
		tar_sum(&tar, at);
		refuse_tar(&tar, ERROR_UNSAFE, what);
	}
}

/* A sum of signed bytes is what some readers take, too. */
static void
a_signed_checksum_is_refused(void **state)
{
	auto_bytes struct bytes tar = {0};
	char number[8];
	int sum = 0;
	unsigned char *block;

	(void)state;
	tar_add_beginning(&tar);
	tar_add_header(&tar, ROOTFS "\xc3\xa9", 0, '0');
	end(&tar);
	accept_tar(&tar, TAR_BEGINNING_ENTRIES + 1, "unsigned");
	block = tar.data + tar.size - 3 * (size_t)TAR_BLOCK;
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (signed char)block[i];
	(void)snprintf(number, sizeof(number), "%06o", (unsigned)sum & 0777777);
	memcpy(block + 148, number, 7);
	refuse_tar(&tar, ERROR_DAMAGED, "signed");
}

static void
a_prefix_is_part_of_the_name(void **state)
{
	auto_bytes struct bytes tar = {0};

	(void)state;
	tar_add_beginning(&tar);
	tar_add_header(&tar, "x", 0, '0');
	memcpy(tar.data + tar.size - TAR_BLOCK + 345, "backup/container/rootfs",
	    23);
	tar_sum(&tar, tar.size - TAR_BLOCK);
	end(&tar);
	accept_tar(&tar, TAR_BEGINNING_ENTRIES + 1, "prefix");
}

static void
what_fills_a_block_is_zero(void **state)
{
	auto_bytes struct bytes tar = {0};

	(void)state;
	tar_add_beginning(&tar);
	tar_add_header(&tar, ROOTFS "x", 5, '0');
	tar_add_data(&tar, "a: b\n", 5);
	tar.data[tar.size - 1] = 'x';
	end(&tar);
	refuse_tar(&tar, ERROR_UNSAFE, "hidden data");
}

static void
only_files_have_a_size(void **state)
{
	static const char types[] = "123456";

	(void)state;
	for (size_t i = 0; i < sizeof(types) - 1; i++) {
		auto_bytes struct bytes tar = {0};
		bool is_link = types[i] == '1' || types[i] == '2';

		tar_add_beginning(&tar);
		tar_add_header(&tar, ROOTFS "a", 0, '0');
		tar_add_link(
		    &tar, ROOTFS "x", 5, types[i], is_link ? ROOTFS "a" : "");
		tar_add_data(&tar, "a: b\n", 5);
		end(&tar);
		refuse_tar(&tar, ERROR_UNSAFE, "content");
	}
}

/* pax --------------------------------------------------------------------- */

static void
records_that_incus_writes_are_accepted(void **state)
{
	static const struct {
		const char *key;
		const char *value;
	} records[] = {
	    {"mtime", "1795316645.123456789"},
	    {"mtime", "-5.25"},
	    {"atime", "0"},
	    {"uid", "4294967295"},
	    {"gid", "3000000"},
	    {"uname", "w\xc3\xa9"},
	    {"SCHILY.xattr.security.capability", "\1\2"},
	    {"SCHILY.xattr.user.empty", ""},
	    {"SCHILY.xattr.user.a=b", "c"},
	    {"path", ROOTFS "\xff\n\x1b[2J"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(records); i++) {
		auto_bytes struct bytes tar = {0};

		tar_add_beginning(&tar);
		tar_add_pax(&tar, records[i].key, records[i].value);
		tar_add_header(&tar, ROOTFS "x", 0, '0');
		end(&tar);
		accept_tar(&tar, TAR_BEGINNING_ENTRIES + 1, records[i].key);
	}
}

static void
records_that_it_does_not_write_are_refused(void **state)
{
	static const char *const records[] = {
	    "21 GNU.sparse.size=9\n",
	    "19 SCHILY.realsize=1\n",
	    "16 comment=abcde\n",
	    "13 charset=x\n",
	    "17 hdrcharset=ab\n",
	    "18 SCHILY.xattr.=\n",
	    "8 path=\n",
	    "12 linkpath=\n",
	    "9 size=5\n",
	    "10 size=-1\n",
	    "24 size=99999999999999999\n",
	    "29 size=9999999999999999999999\n",
	    "9 uid=-1\n",
	    "8 uid=x\n",
	    "10 mtime=\n",
	    "11 mtime=-\n",
	    "14 mtime=1.2.\n",
	    "12 mtime=1e\n",
	    "10 path=a\n", /* a byte too long */
	    "8 path=a\n",  /* a byte too short */
	    "011 uid=12\n",
	    " 9 path=a\n",
	    "-9 path=a\n",
	    "9path=a\n",
	    "9\n",
	    "4 =\n",
	    "5 a=",
	    "9 uid=12x",
	    "99999999999999999999 path=a\n",
	    "x path=a\n",
	    "6 uid\n",
	    "8 uid=1\n8 uid=1\n",
	    "9 uid=1\0\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(records); i++) {
		auto_bytes struct bytes tar = {0};

		tar_add_beginning(&tar);
		tar_add_records(&tar, records[i], strlen(records[i]));
		tar_add_header(&tar, ROOTFS "x", 0, '0');
		end(&tar);
		refuse_tar(&tar, ERROR_UNSAFE, records[i]);
	}
}

static void
a_name_ends_nowhere_else_than_it_says(void **state)
{
	static const char record[] = "36 path=backup/container/rootfs/a\0b\n";
	static const char key[] = "11 uid\0x=1\n";
	auto_bytes struct bytes tar = {0};
	auto_bytes struct bytes other = {0};

	(void)state;
	tar_add_beginning(&tar);
	tar_add_records(&tar, record, sizeof(record) - 1);
	tar_add_header(&tar, ROOTFS "x", 0, '0');
	end(&tar);
	refuse_tar(&tar, ERROR_UNSAFE, "a NUL in a name");
	tar_add_beginning(&other);
	tar_add_records(&other, key, sizeof(key) - 1);
	tar_add_header(&other, ROOTFS "x", 0, '0');
	end(&other);
	refuse_tar(&other, ERROR_UNSAFE, "a NUL in a key");
}

static void
an_empty_pax_header_is_refused(void **state)
{
	auto_bytes struct bytes tar = {0};

	(void)state;
	tar_add_beginning(&tar);
	tar_add_header(&tar, "PaxHeaders.0/x", 0, 'x');
	tar_add_header(&tar, ROOTFS "x", 0, '0');
	end(&tar);
	refuse_tar(&tar, ERROR_UNSAFE, "no records");
}

static void
a_name_longer_than_a_path_is_refused(void **state)
{
	char name[5000];
	auto_bytes struct bytes tar = {0};
	auto_bytes struct bytes fits = {0};

	(void)state;
	memset(name, 'a', sizeof(name));
	memcpy(name, ROOTFS, strlen(ROOTFS));
	name[sizeof(name) - 1] = '\0';
	tar_add_beginning(&tar);
	tar_add_pax(&tar, "path", name);
	tar_add_header(&tar, "x", 0, '0');
	end(&tar);
	refuse_tar(&tar, ERROR_UNSAFE, "5000 bytes");
	/* NAME_MAX. */
	name[strlen(ROOTFS) + 256] = '\0';
	tar_add_beginning(&fits);
	tar_add_pax(&fits, "path", name);
	tar_add_header(&fits, "x", 0, '0');
	end(&fits);
	refuse_tar(&fits, ERROR_UNSAFE, "256 bytes between slashes");
}

static void
a_pax_header_is_for_one_member(void **state)
{
	auto_bytes struct bytes twice = {0};
	auto_bytes struct bytes last = {0};
	auto_bytes struct bytes next = {0};

	(void)state;
	tar_add_beginning(&twice);
	tar_add_pax(&twice, "uid", "1");
	tar_add_pax(&twice, "gid", "1");
	tar_add_header(&twice, ROOTFS "x", 0, '0');
	end(&twice);
	refuse_tar(&twice, ERROR_UNSAFE, "two pax headers");
	tar_add_beginning(&last);
	tar_add_pax(&last, "uid", "1");
	end(&last);
	refuse_tar(&last, ERROR_UNSAFE, "a pax header at the end");
	/* It does not name the member behind the next. */
	tar_add_beginning(&next);
	tar_add_pax(&next, "path", ROOTFS "long");
	tar_add_header(&next, ROOTFS "x", 0, '0');
	tar_add_header(&next, ROOTFS "y", 0, '0');
	tar_add_header(&next, ROOTFS "x", 0, '0');
	end(&next);
	accept_tar(&next, TAR_BEGINNING_ENTRIES + 3, "a name for one");
}

static void
an_endless_header_is_refused(void **state)
{
	auto_bytes struct bytes tar = {0};

	(void)state;
	tar_add_beginning(&tar);
	tar_add_header(&tar, "x", UINT64_C(4) << 30, 'x');
	tar_add_zeros(&tar, (size_t)6 << 20);
	refuse_tar(&tar, ERROR_UNSAFE, "four gibibytes of names");
}

/* Eight gibibytes do not fit in twelve octal digits. */
static void
a_large_size_is_said_once(void **state)
{
	static const uint64_t others[] = {5, 077777777777};
	auto_bytes struct bytes tar = {0};

	(void)state;
	tar_add_beginning(&tar);
	tar_add_pax(&tar, "size", "8589934592");
	tar_add_header(&tar, ROOTFS "x", 0, '0');
	/* Only that it is cut is wrong. */
	refuse_tar(&tar, ERROR_DAMAGED, "a large file");
	for (size_t i = 0; i < COUNT(others); i++) {
		auto_bytes struct bytes both = {0};

		tar_add_beginning(&both);
		tar_add_pax(&both, "size", "8589934592");
		tar_add_header(&both, ROOTFS "x", others[i], '0');
		refuse_tar(&both, ERROR_UNSAFE, "two sizes");
	}
}

/* Members ----------------------------------------------------------------- */

struct one_more {
	const char *name;
	char type;
	const char *target;
};

static void
add_members(struct bytes *tar, const struct one_more *members, size_t count)
{
	tar_add_beginning(tar);
	for (size_t i = 0; i < count && members[i].name != NULL; i++)
		tar_add_link(tar, members[i].name, 0, members[i].type,
		    members[i].target != NULL ? members[i].target : "");
	end(tar);
}

static void
what_may_stand_in_a_container(void **state)
{
	static const struct one_more members[] = {
	    {ROOTFS "dir", '5', NULL},
	    {ROOTFS "dir/", '5', NULL} /* is "dir", and refused below */,
	};
	static const struct one_more good[] = {
	    {ROOTFS "dir/", '5', NULL},
	    {ROOTFS "dir/file", '0', NULL},
	    {ROOTFS "dir/link", '2', "/etc/passwd"},
	    {ROOTFS "dir/out", '2', "../../../../../etc"},
	    {ROOTFS "dir/hard", '1', ROOTFS "dir/file"},
	    {ROOTFS "harder", '1', ROOTFS "dir/hard"},
	    {ROOTFS "char", '3', NULL},
	    {ROOTFS "block", '4', NULL},
	    {ROOTFS "fifo", '6', NULL},
	    {ROOTFS "back\\slash", '0', NULL},
	    {ROOTFS "...", '5', NULL},
	    {ROOTFS "..a", '0', NULL},
	    {"backup/container/templates", '5', NULL},
	    {"backup/container/templates/a.tpl", '0', NULL},
	    {"backup/container/metadata.yaml", '0', NULL},
	    {"backup/container/exec-output", '5', NULL},
	    {"backup/container/exec-output/a.stdout", '0', NULL},
	    {"backup/container/state", '5', NULL},
	    {"backup/container/credentials", '5', NULL},
	    {"backup/container/network", '5', NULL},
	    {"backup/container/config.json", '0', NULL},
	};
	auto_bytes struct bytes tar = {0};
	auto_bytes struct bytes twice = {0};

	(void)state;
	add_members(&tar, good, COUNT(good));
	accept_tar(&tar, TAR_BEGINNING_ENTRIES + COUNT(good), "members");
	add_members(&twice, members, COUNT(members));
	refuse_tar(&twice, ERROR_UNSAFE, "a directory twice");
}

static void
what_may_not(void **state)
{
	static const struct one_more bad[][3] = {
	    {{"/etc/passwd", '0', NULL}},
	    {{"../etc/passwd", '0', NULL}},
	    {{"etc/passwd", '0', NULL}},
	    {{"backup", '5', NULL}},
	    {{"backup/", '5', NULL}},
	    {{"backup/other", '0', NULL}},
	    {{"backup/index.yaml", '0', NULL}},
	    {{"backup/container", '5', NULL}},
	    {{"backup/container.bin", '0', NULL}},
	    {{"backup/container.img", '0', NULL}},
	    {{"backup/virtual-machine", '5', NULL}},
	    {{"backup/snapshots", '5', NULL}},
	    {{"backup/snapshots/s", '5', NULL}},
	    {{"backup/root", '5', NULL}},
	    {{"backup/eth0/volume", '5', NULL}},
	    {{"backup/root/volume", '2', "/etc"}},
	    {{"backup/container/../container/rootfs/x", '0', NULL}},
	    {{ROOTFS "../x", '0', NULL}},
	    {{ROOTFS "a/../x", '0', NULL}},
	    {{ROOTFS "./x", '0', NULL}},
	    {{ROOTFS ".", '5', NULL}},
	    {{ROOTFS "..", '5', NULL}},
	    {{ROOTFS "/x", '0', NULL}},
	    {{ROOTFS "x/", '0', NULL}},
	    {{ROOTFS "x//", '5', NULL}},
	    {{"./" ROOTFS "x", '0', NULL}},
	    {{"", '0', NULL}},
	    {{"backup/container/rootfs", '2', "/"}},
	    {{"backup/container/other", '0', NULL}},
	    {{"backup/container/other", '5', NULL}},
	    {{"backup/container/templates", '2', "/etc"}},
	    {{"backup/container/templates", '0', NULL}},
	    {{"backup/container/templates", '5', NULL},
		{"backup/container/templates/x", '2', "/etc/shadow"}},
	    {{"backup/container/templates", '5', NULL},
		{"backup/container/templates/x", '3', NULL}},
	    {{"backup/container/metadata.yaml", '2', "/etc/shadow"}},
	    {{"backup/container/metadata.yaml", '5', NULL}},
	    {{"backup/container/metadata.yaml", '1',
		"backup/container/backup.yaml"}},
	    {{"backup/container/metadata.yaml/x", '0', NULL}},
	    {{"backup/container/backup.yaml", '2', "/etc/cron.d/x"}},
	    {{"backup/container/backup.yaml", '0', NULL}},
	    {{"backup/container/exec-output", '2', "/root"}},
	    {{"backup/container/exec-output", '5', NULL},
		{"backup/container/exec-output/x", '2', "/etc/shadow"}},
	    {{"backup/container/state", '2', "/root"}},
	    {{"backup/container/config.json", '2', "/root"}},
	    {{ROOTFS "none/x", '0', NULL}},
	    {{ROOTFS "file", '0', NULL}, {ROOTFS "file/x", '0', NULL}},
	    {{ROOTFS "link", '2', "/"}, {ROOTFS "link/x", '0', NULL}},
	    {{ROOTFS "fifo", '6', NULL}, {ROOTFS "fifo/x", '0', NULL}},
	    {{ROOTFS "x", '0', NULL}, {ROOTFS "x", '0', NULL}},
	    {{ROOTFS "x", '5', NULL}, {ROOTFS "x", '2', "/etc"}},
	    {{ROOTFS "x", '2', "/etc"}, {ROOTFS "x", '5', NULL}},
	    {{ROOTFS "x", '6', NULL}, {ROOTFS "x", '3', NULL}},
	    {{ROOTFS "x", '1', "/etc/shadow"}},
	    {{ROOTFS "x", '1', "../../etc/shadow"}},
	    {{ROOTFS "x", '1', ROOTFS "none"}},
	    {{ROOTFS "x", '1', ROOTFS "x"}},
	    {{ROOTFS "x", '1', "backup/index.yaml"}},
	    {{ROOTFS "d", '5', NULL}, {ROOTFS "x", '1', ROOTFS "d"}},
	    {{ROOTFS "l", '2', "/etc"}, {ROOTFS "x", '1', ROOTFS "l"}},
	    {{ROOTFS "c", '3', NULL}, {ROOTFS "x", '1', ROOTFS "c"}},
	    {{ROOTFS "x", '1', ROOTFS "y"}, {ROOTFS "y", '0', NULL}},
	    {{ROOTFS "x", '1', NULL}},
	    {{ROOTFS "x", '2', NULL}},
	    {{ROOTFS "x", '5', "target"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		auto_bytes struct bytes tar = {0};
		char what[64];

		(void)snprintf(
		    what, sizeof(what), "%zu, %s", i, bad[i][0].name);
		add_members(&tar, bad[i], COUNT(bad[i]));
		refuse_tar(&tar, ERROR_UNSAFE, what);
	}
}

static void
a_hard_link_stays_in_its_tree(void **state)
{
	static const struct one_more good[] = {
	    {ROOTFS "a", '0', NULL},
	    {ROOTFS "b", '1', ROOTFS "a"},
	};
	auto_bytes struct bytes tar = {0};

	(void)state;
	add_members(&tar, good, COUNT(good));
	accept_tar(&tar, TAR_BEGINNING_ENTRIES + 2, "a hard link");
}

/* The index -------------------------------------------------------------- */

static void
the_index_must_be_the_first_member(void **state)
{
	static const struct {
		const char *name;
		char type;
		const char *target;
		enum error_code code;
	} cases[] = {
	    {"backup/container", '5', NULL, ERROR_DAMAGED},
	    {"etc/passwd", '0', NULL, ERROR_DAMAGED},
	    {"./backup/index.yaml", '0', NULL, ERROR_DAMAGED},
	    {"/backup/index.yaml", '0', NULL, ERROR_DAMAGED},
	    {"backup//index.yaml", '0', NULL, ERROR_DAMAGED},
	    {"backup/index.yaml ", '0', NULL, ERROR_DAMAGED},
	    {"backup/INDEX.yaml", '0', NULL, ERROR_DAMAGED},
	    {"backup/index.yaml", '2', "container/backup.yaml", ERROR_DAMAGED},
	    {"backup/index.yaml", '1', "backup/other", ERROR_DAMAGED},
	    {"backup/index.yaml", '5', NULL, ERROR_DAMAGED},
	    {"backup/index.yaml", '3', NULL, ERROR_DAMAGED},
	    {"backup/index.yaml", '6', NULL, ERROR_DAMAGED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		auto_bytes struct bytes tar = {0};

		tar_add_link(&tar, cases[i].name, 0, cases[i].type,
		    cases[i].target != NULL ? cases[i].target : "");
		tar_add_beginning(&tar);
		end(&tar);
		refuse_tar(&tar, cases[i].code, cases[i].name);
	}
}

/* A tar with these two files, of which either may be the usual one. */
static struct bytes
tar_of_texts(const char *index, const char *config)
{
	const struct tar_entry entries[] = {
	    {"backup/index.yaml", '0', index, strlen(index), NULL, false},
	    {"backup/container", '5', NULL, 0, NULL, false},
	    {"backup/container/backup.yaml", '0', config, strlen(config), NULL,
		false},
	    {"backup/container/rootfs", '5', NULL, 0, NULL, false},
	    {0},
	};

	return tar_make(entries);
}

/* `text` with every `from` replaced; the caller frees it. */
static char *
replaced(const char *text, const char *from, const char *to)
{
	struct bytes made = {0};
	const char *found = strstr(text, from);

	assert_non_null(found);
	for (; found != NULL; found = strstr(text, from)) {
		bytes_add(&made, text, (size_t)(found - text));
		bytes_add(&made, to, strlen(to));
		text = found + strlen(from);
	}
	bytes_add(&made, text, strlen(text) + 1);
	return (char *)made.data;
}

/* Both say it, and still the daemon would not like it. */
static void
an_index_without_what_the_daemon_reads(void **state)
{
	static const struct {
		const char *from;
		const char *to;
	} changes[] = {
	    {"container: {name: web", "container: {name: other"},
	    {"container: {name: web,", "container: {"},
	    {"config: {user.a: b}", "config: null"},
	    {"config: {user.a: b}", "config: [a]"},
	    {"config: {user.a: b}", "config: {user.a: null}"},
	    {"config: {user.a: b}", "config: {user.a: {b: c}}"},
	    {"devices: {}, profiles: [default]",
		"devices: {a: null}, profiles: [default]"},
	    {"devices: {}, profiles: [default]",
		"devices: {a: {type: {}}}, profiles: [default]"},
	    {"devices: {}, profiles: [default]", "profiles: [default]"},
	    {"profiles: [default]", "profiles: [null]"},
	    {"profiles: [default]", "profiles: {}"},
	    {"profiles: [default]", "profiles: null"},
	    {"type: container, arch", "type: virtual-machine, arch"},
	    {"profiles: [{name: default,", "profiles: [null, {name: default,"},
	    {"profiles: [{name: default,", "profiles: [{"},
	    {"pool: {name: default, driver: dir}", "pool: null"},
	    {"pool: {name: default, driver: dir}, ", ""},
	    {"volume: {name: web}", "volume: null"},
	    {"volume: {name: web}", "volume: {}, volume_snapshots: [null]"},
	    {"volume: {name: web}", "volume: {}, dependent_volumes: [null]"},
	    {"volume: {name: web}", "volume: {}, dependent_volumes: {}"},
	    {"volume: {name: web}", "volume: {}, snapshots: [null]"},
	    {"volume: {name: web}",
		"volume: {}, snapshots: [{name: s, config: {}, devices: {}}]"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		char *index =
		    replaced(tar_index_text, changes[i].from, changes[i].to);
		char *config =
		    replaced(tar_config_text, changes[i].from, changes[i].to);
		auto_bytes struct bytes tar = tar_of_texts(index, config);

		refuse_tar(&tar, ERROR_UNSAFE, changes[i].to);
		free(index);
		free(config);
	}
}

static void
names_that_are_none(void **state)
{
	static const char *const names[] = {"../web", "a/b", "-web", "web-",
	    "123", "w_b", "w b", "'w\xc3\xa9'", "..",
	    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char to[128];
		char *index;
		char *config;
		auto_bytes struct bytes tar = {0};

		(void)snprintf(to, sizeof(to), "name: %s", names[i]);
		index = replaced(tar_index_text, "name: web", to);
		config = replaced(tar_config_text, "name: web", to);
		tar = tar_of_texts(index, config);
		refuse_tar(&tar, ERROR_UNSAFE, names[i]);
		free(index);
		free(config);
	}
}

/* Only one of both says it. */
static void
two_files_that_disagree(void **state)
{
	static const struct {
		const char *from;
		const char *to;
	} changes[] = {
	    {"user.a: b", "user.a: c"},
	    {"user.a: b", "user.a: b, security.privileged: \"true\""},
	    {"user.a: b", ""},
	    {"devices: {}, profiles",
		"devices: {d: {type: disk, source: /, path: /mnt}}, profiles"},
	    {"profiles: [default]", "profiles: [default, other]"},
	    {"profiles: [default]", "profiles: []"},
	    {"container: {name: web", "container: {name: web2"},
	    {"x86_64", "aarch64"},
	    {"container: {name", "container: {stateful: true, name"},
	    {"driver: dir", "driver: zfs"},
	    {"volume: {name: web}", "volume: {name: web, config: {a: b}}"},
	    {"volume: {name: web}",
		"volume: {name: web}, snapshots: [{name: s}]"},
	    {"config: {}, devices: {}}]", "config: {a: b}, devices: {}}]"},
	    {"container:", "instance:"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		char *config =
		    replaced(tar_config_text, changes[i].from, changes[i].to);
		auto_bytes struct bytes tar =
		    tar_of_texts(tar_index_text, config);

		refuse_tar(&tar, ERROR_UNSAFE, changes[i].to);
		free(config);
	}
}

static void
what_changes_by_itself_may_differ(void **state)
{
	char *config = replaced(tar_config_text, "container: {",
	    "container: {status: Stopped, status_code: 102, last_used_at: x, ");
	auto_bytes struct bytes tar = tar_of_texts(tar_index_text, config);

	(void)state;
	accept_tar(&tar, 4, "a status");
	free(config);
}

static void
yaml_that_is_none(void **state)
{
	static const char *const texts[] = {"", "a: b\n\tc: d\n", "{", "a: *b",
	    "!!x a", "a: b\na: b\n", "\xff\xfe", "a: b\n---\na: b\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		auto_bytes struct bytes index =
		    tar_of_texts(texts[i], tar_config_text);
		auto_bytes struct bytes config =
		    tar_of_texts(tar_index_text, texts[i]);

		refuse_tar(&index, ERROR_DAMAGED, texts[i]);
		refuse_tar(&config, ERROR_DAMAGED, texts[i]);
	}
}

/* What the daemon reads of it is bounded, and so it is here. */
static void
yaml_has_a_mebibyte_at_most(void **state)
{
	for (int over = 0; over < 2; over++) {
		auto_bytes struct bytes text = {0};
		auto_bytes struct bytes tar = {0};
		struct tar_entry entries[] = {TAR_BEGINNING, {0}};

		(void)state;
		text.size = BACKUP_YAML_MAX_BYTES + (size_t)over;
		text.data = malloc(text.size);
		assert_non_null(text.data);
		memset(text.data, '#', text.size);
		memcpy(text.data, tar_index_text, strlen(tar_index_text));
		entries[0].content = text.data;
		entries[0].size = text.size;
		tar = tar_make(entries);
		if (over == 0)
			accept_tar(&tar, TAR_BEGINNING_ENTRIES, "a mebibyte");
		else
			refuse_tar(&tar, ERROR_DAMAGED, "and a byte");
	}
}

static void
what_the_index_promises_is_there(void **state)
{
	const struct tar_entry all[] = {TAR_BEGINNING, {0}};
	const struct tar_entry no_root[] = {all[0], {0}};
	const struct tar_entry no_config[] = {all[0], all[1], all[3], {0}};
	auto_bytes struct bytes without = tar_make(no_root);
	auto_bytes struct bytes bare = tar_make(no_config);

	(void)state;
	refuse_tar(&without, ERROR_UNSAFE, "no container");
	refuse_tar(&bare, ERROR_UNSAFE, "no backup.yaml");
}

/* Snapshots ---------------------------------------------------------------- */

#define SNAPSHOT "{name: s-0, config: {}, devices: {}}"

static void
snapshots_are_those_of_the_index(void **state)
{
	char *listed =
	    replaced(tar_index_text, "snapshots: []", "snapshots: [s-0]");
	char *index = replaced(listed, "volume: {name: web}",
	    "volume: {name: web}, snapshots: [" SNAPSHOT "]");
	char *config = replaced(tar_config_text, "volume: {name: web}",
	    "volume: {name: web}, snapshots: [" SNAPSHOT "]");
	struct tar_entry entries[] = {
	    {"backup/index.yaml", '0', index, strlen(index), NULL, false},
	    {"backup/snapshots/s-0", '5', NULL, 0, NULL, false},
	    {"backup/snapshots/s-0/rootfs", '5', NULL, 0, NULL, false},
	    {"backup/snapshots/s-0/rootfs/a", '0', NULL, 0, NULL, false},
	    {"backup/container", '5', NULL, 0, NULL, false},
	    {"backup/container/backup.yaml", '0', config, strlen(config), NULL,
		false},
	    {"backup/container/rootfs", '5', NULL, 0, NULL, false},
	    {0},
	    {0},
	};
	auto_bytes struct bytes good = tar_make(entries);
	auto_bytes struct bytes across = {0};
	auto_bytes struct bytes other = {0};
	auto_bytes struct bytes missing = {0};

	(void)state;
	accept_tar(&good, 7, "a snapshot");
	/* From one tree to another. */
	entries[7] = (struct tar_entry){
	    ROOTFS "b", '1', NULL, 0, "backup/snapshots/s-0/rootfs/a", false};
	across = tar_make(entries);
	refuse_tar(&across, ERROR_UNSAFE, "a link between trees");
	entries[7] = (struct tar_entry){
	    "backup/snapshots/other", '5', NULL, 0, NULL, false};
	other = tar_make(entries);
	refuse_tar(&other, ERROR_UNSAFE, "a snapshot that is not listed");
	entries[0].content = listed;
	entries[0].size = strlen(listed);
	entries[7] = (struct tar_entry){0};
	missing = tar_make(entries);
	refuse_tar(&missing, ERROR_UNSAFE, "a snapshot without settings");
	free(listed);
	free(index);
	free(config);
}

static void
a_listed_snapshot_is_there(void **state)
{
	char *listed =
	    replaced(tar_index_text, "snapshots: []", "snapshots: [s-0]");
	char *index = replaced(listed, "volume: {name: web}",
	    "volume: {name: web}, snapshots: [" SNAPSHOT "]");
	char *config = replaced(tar_config_text, "volume: {name: web}",
	    "volume: {name: web}, snapshots: [" SNAPSHOT "]");
	auto_bytes struct bytes tar = tar_of_texts(index, config);

	(void)state;
	refuse_tar(&tar, ERROR_UNSAFE, "a snapshot that is missing");
	free(listed);
	free(index);
	free(config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_incus_writes_is_accepted),
	    cmocka_unit_test(members_of_any_size_are_accepted),
	    cmocka_unit_test(every_truncation_is_damage),
	    cmocka_unit_test(padding_may_follow_the_end),
	    cmocka_unit_test(padding_ends),
	    cmocka_unit_test(one_zero_block_is_no_end),
	    cmocka_unit_test(data_after_the_end_is_refused),
	    cmocka_unit_test(a_second_tar_is_refused),
	    cmocka_unit_test(zeros_of_a_member_are_no_end),
	    cmocka_unit_test(what_is_no_tar_is_refused),
	    cmocka_unit_test(the_sources_error_passes),
	    cmocka_unit_test(a_damaged_header_is_refused),
	    cmocka_unit_test(a_strange_header_is_refused),
	    cmocka_unit_test(a_signed_checksum_is_refused),
	    cmocka_unit_test(a_prefix_is_part_of_the_name),
	    cmocka_unit_test(what_fills_a_block_is_zero),
	    cmocka_unit_test(only_files_have_a_size),
	    cmocka_unit_test(records_that_incus_writes_are_accepted),
	    cmocka_unit_test(records_that_it_does_not_write_are_refused),
	    cmocka_unit_test(a_name_ends_nowhere_else_than_it_says),
	    cmocka_unit_test(an_empty_pax_header_is_refused),
	    cmocka_unit_test(a_name_longer_than_a_path_is_refused),
	    cmocka_unit_test(a_pax_header_is_for_one_member),
	    cmocka_unit_test(an_endless_header_is_refused),
	    cmocka_unit_test(a_large_size_is_said_once),
	    cmocka_unit_test(what_may_stand_in_a_container),
	    cmocka_unit_test(what_may_not),
	    cmocka_unit_test(a_hard_link_stays_in_its_tree),
	    cmocka_unit_test(the_index_must_be_the_first_member),
	    cmocka_unit_test(an_index_without_what_the_daemon_reads),
	    cmocka_unit_test(names_that_are_none),
	    cmocka_unit_test(two_files_that_disagree),
	    cmocka_unit_test(what_changes_by_itself_may_differ),
	    cmocka_unit_test(yaml_that_is_none),
	    cmocka_unit_test(yaml_has_a_mebibyte_at_most),
	    cmocka_unit_test(what_the_index_promises_is_there),
	    cmocka_unit_test(snapshots_are_those_of_the_index),
	    cmocka_unit_test(a_listed_snapshot_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
