#include <string.h>
#include <sys/stat.h>

#include "stream/inspect.h"
#include "tars.h"

static const size_t readers[] = {1, 512, 100000};

/* Read all of `tar` through a fresh inspection. */
static int
inspect(const struct bytes *tar, size_t chunk, size_t reader,
    struct inspection *ret, struct error *err)
{
	auto_bytes struct bytes got = {0};
	int status;

	status = drain(
	    inspect_new(
		source_new(tar->data, tar->size, chunk, SOURCE_ENDS), ret, err),
	    reader, &got, err);
	if (status == 0)
		assert_same_bytes(&got, tar);
	return status;
}

static void
assert_accepted(const struct bytes *tar, uint64_t entries)
{
	for (size_t i = 0; i < COUNT(readers); i++) {
		struct inspection inspection;
		struct error err = {0};

		if (tar->size / readers[i] > 500000)
			continue;
		assert_int_equal(
		    inspect(tar, 0, readers[i], &inspection, &err), 0);
		assert_no_error(&err);
		assert_true(inspection.complete);
		assert_int_equal(inspection.entries, entries);
		assert_int_equal(inspection.tar_size_bytes, tar->size);
		inspection_clear(&inspection);
	}
}

static void
assert_refused(const struct bytes *tar)
{
	for (size_t i = 0; i < COUNT(readers); i++) {
		struct inspection inspection;
		struct error err = {0};

		if (tar->size / readers[i] > 500000)
			continue;
		assert_int_equal(
		    inspect(tar, 0, readers[i], &inspection, &err), -1);
		assert_error(&err, ERROR_DAMAGED);
		assert_false(inspection.complete);
		inspection_clear(&inspection);
	}
}

static void
a_backup_passes_unchanged(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();

	(void)state;
	assert_accepted(&tar, TAR_OF_CONTAINER_ENTRIES);
}

static void
the_index_is_there_before_the_first_read(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();
	auto_bytes struct bytes got = {0};
	struct inspection inspection;
	struct error err = {0};
	struct stream *s = inspect_new(
	    source_new(tar.data, tar.size, 0, SOURCE_ENDS), &inspection, &err);

	(void)state;
	assert_no_error(&err);
	assert_int_equal(inspection.index_size, strlen(tar_index_text));
	assert_string_equal(inspection.index_yaml, tar_index_text);
	assert_false(inspection.complete);
	assert_int_equal(drain(s, 1000, &got, &err), 0);
	assert_true(inspection.complete);
	/* It outlives the stream. */
	assert_string_equal(inspection.index_yaml, tar_index_text);
	inspection_clear(&inspection);
	assert_null(inspection.index_yaml);
}

/* Members larger than the buffers, and one of each small size. */
static void
large_members_pass_unchanged(void **state)
{
	auto_bytes struct bytes noise = bytes_random(700001, 4);
	auto_bytes struct bytes tar = {0};
	const struct tar_member members[] = {
	    {"backup/index.yaml", S_IFREG, "a: b\n", 5, NULL, false},
	    {"backup/511", S_IFREG, noise.data, 511, NULL, false},
	    {"backup/512", S_IFREG, noise.data, 512, NULL, false},
	    {"backup/513", S_IFREG, noise.data, 513, NULL, false},
	    {"backup/large", S_IFREG, noise.data, noise.size, NULL, true},
	    {"backup/buffer", S_IFREG, noise.data, STREAM_BUFFER_BYTES, NULL,
		false},
	    {0},
	};

	(void)state;
	tar = tar_make(members);
	/* Where the buffers of 256 KiB end must not matter. */
	for (size_t i = 0; i < COUNT(readers); i++) {
		static const size_t chunks[] = {511, 512, 513, 10000, 0};

		for (size_t c = 0; c < COUNT(chunks); c++) {
			struct inspection inspection;
			struct error err = {0};

			if (tar.size / readers[i] > 500000 && c > 0)
				continue;
			assert_int_equal(inspect(&tar, chunks[c], readers[i],
					     &inspection, &err),
			    0);
			assert_int_equal(inspection.entries, 6);
			assert_int_equal(inspection.tar_size_bytes, tar.size);
			inspection_clear(&inspection);
		}
	}
}

static void
slow_sources_are_inspected(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();

	(void)state;
	for (size_t chunk = 1; chunk < 600; chunk += 73) {
		struct inspection inspection;
		struct error err = {0};

		assert_int_equal(
		    inspect(&tar, chunk, 1000, &inspection, &err), 0);
		assert_int_equal(inspection.entries, TAR_OF_CONTAINER_ENTRIES);
		inspection_clear(&inspection);
	}
}

/* Also right behind a member, and inside the end marker. */
static void
every_truncation_is_damage(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();

	(void)state;
	for (size_t size = 0; size < tar.size; size++) {
		struct bytes cut = {tar.data, size};
		struct inspection inspection;
		struct error err = {0};

		assert_int_equal(inspect(&cut, 0, 4096, &inspection, &err), -1);
		assert_error(&err, ERROR_DAMAGED);
		assert_false(inspection.complete);
		inspection_clear(&inspection);
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
		assert_accepted(&tar, TAR_OF_CONTAINER_ENTRIES);
	}
}

static void
one_zero_block_is_no_end(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();

	(void)state;
	tar.size -= TAR_BLOCK;
	assert_refused(&tar);
	/* And then a member goes on. */
	tar_add_header(&tar, "backup/more", 0, '0');
	tar_add_zeros(&tar, 2 * (size_t)TAR_BLOCK);
	assert_refused(&tar);
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
		assert_refused(&tar);
		tar_add_zeros(&tar, 1024);
		assert_refused(&tar);
	}
}

static void
a_second_tar_is_refused(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();
	auto_bytes struct bytes more = tar_of_container();

	(void)state;
	bytes_add(&tar, more.data, more.size);
	assert_refused(&tar);
}

/* Every byte of the marker itself. */
static void
a_marker_that_is_not_zero_is_refused(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();

	(void)state;
	for (size_t i = 1; i <= 2 * (size_t)TAR_BLOCK; i++) {
		struct inspection inspection;
		struct error err = {0};

		tar.data[tar.size - i] = 1;
		assert_int_equal(inspect(&tar, 0, 4096, &inspection, &err), -1);
		assert_error(&err, ERROR_DAMAGED);
		tar.data[tar.size - i] = 0;
		inspection_clear(&inspection);
	}
}

/* The content of the last member looks like an end marker, and is none. */
static void
zeros_of_a_member_are_no_end(void **state)
{
	(void)state;
	for (size_t blocks = 1; blocks < 40; blocks++) {
		auto_bytes struct bytes tar = {0};

		tar_add_header(&tar, "backup/index.yaml", 5, '0');
		tar_add_data(&tar, "a: b\n", 5);
		tar_add_header(&tar, "backup/zeros", blocks * TAR_BLOCK, '0');
		tar_add_zeros(&tar, blocks * TAR_BLOCK);
		assert_refused(&tar);
		tar_add_zeros(&tar, TAR_BLOCK);
		assert_refused(&tar);
		tar_add_zeros(&tar, TAR_BLOCK);
		assert_accepted(&tar, 2);
	}
}

/* A member that claims what was the end marker. */
static void
a_member_that_swallows_the_end_is_refused(void **state)
{
	auto_bytes struct bytes tar = {0};

	(void)state;
	tar_add_header(&tar, "backup/index.yaml", 5, '0');
	tar_add_data(&tar, "a: b\n", 5);
	tar_add_header(&tar, "backup/swallows", 2 * (uint64_t)TAR_BLOCK, '0');
	tar_add_zeros(&tar, 2 * (size_t)TAR_BLOCK);
	assert_refused(&tar);
}

static void
what_is_no_tar_is_refused(void **state)
{
	static const size_t sizes[] = {0, 1, 511, 512, 513, 1024, 5000, 300000};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		auto_bytes struct bytes noise = bytes_random(sizes[i], 8);
		auto_bytes struct bytes zeros = bytes_zero(sizes[i]);

		assert_refused(&noise);
		assert_refused(&zeros);
	}
}

static void
a_damaged_header_is_refused(void **state)
{
	auto_bytes struct bytes tar = {0};

	(void)state;
	tar_add_header(&tar, "backup/index.yaml", 5, '0');
	tar_add_data(&tar, "a: b\n", 5);
	tar_add_header(&tar, "backup/x", 0, '0');
	tar_add_zeros(&tar, 2 * (size_t)TAR_BLOCK);
	/* The checksum covers all bytes of a header. */
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		struct inspection inspection;
		struct error err = {0};

		tar.data[2 * TAR_BLOCK + i] ^= 1;
		if (inspect(&tar, 0, 4096, &inspection, &err) == 0)
			fail_msg("byte %zu", i);
		assert_error(&err, ERROR_DAMAGED);
		tar.data[2 * TAR_BLOCK + i] ^= 1;
		inspection_clear(&inspection);
	}
}

/* A tar whose first member is `name` of the type given. */
static struct bytes
tar_begins(const char *name, int type, const char *target)
{
	const struct tar_member members[] = {
	    {name, type, "a: b\n", type == S_IFREG ? 5 : 0, target, false},
	    {"backup/index.yaml", S_IFREG, "a: b\n", 5, NULL, false},
	    {0},
	};

	return tar_make(members);
}

static void
the_index_must_be_the_first_member(void **state)
{
	static const struct {
		const char *name;
		int type;
		const char *target;
	} cases[] = {
	    {"backup/container", S_IFDIR, NULL},
	    {"etc/passwd", S_IFREG, NULL},
	    {"./backup/index.yaml", S_IFREG, NULL},
	    {"/backup/index.yaml", S_IFREG, NULL},
	    {"backup//index.yaml", S_IFREG, NULL},
	    {"backup/index.yaml ", S_IFREG, NULL},
	    {"backup/INDEX.yaml", S_IFREG, NULL},
	    {"backup/index.yam", S_IFREG, NULL},
	    {"backup/index.yaml", S_IFLNK, "container/backup.yaml"},
	    {"backup/index.yaml", 0, "backup/other"},
	    {"backup/index.yaml", S_IFDIR, NULL},
	    {"backup/index.yaml", S_IFCHR, NULL},
	    {"backup/index.yaml", S_IFIFO, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		auto_bytes struct bytes tar =
		    tar_begins(cases[i].name, cases[i].type, cases[i].target);

		assert_refused(&tar);
	}
}

/* pax lets a hard link bring content. */
static void
a_link_with_content_is_no_index(void **state)
{
	auto_bytes struct bytes tar = {0};

	(void)state;
	tar_add_pax(&tar, "mtime", "1795316645.5");
	tar_add_hard_link(&tar, "backup/index.yaml", 5, "backup/other");
	tar_add_data(&tar, "a: b\n", 5);
	tar_add_zeros(&tar, 2 * (size_t)TAR_BLOCK);
	assert_refused(&tar);
}

static void
an_index_is_needed(void **state)
{
	const struct tar_member members[] = {
	    {"backup/container", S_IFDIR, NULL, 0, NULL, false},
	    {"backup/container/x", S_IFREG, "x", 1, NULL, false},
	    {0},
	};
	auto_bytes struct bytes without = tar_make(members);
	auto_bytes struct bytes nothing = tar_make(members + 2);

	(void)state;
	assert_refused(&without);
	assert_refused(&nothing);
}

static void
the_index_may_have_a_mebibyte(void **state)
{
	auto_bytes struct bytes text =
	    bytes_random(INSPECT_INDEX_MAX_BYTES + 1, 2);
	struct tar_member members[] = {
	    {"backup/index.yaml", S_IFREG, text.data, INSPECT_INDEX_MAX_BYTES,
		NULL, false},
	    {0},
	};
	auto_bytes struct bytes fits = tar_make(members);
	auto_bytes struct bytes large = {0};
	struct inspection inspection;
	struct error err = {0};

	(void)state;
	assert_int_equal(inspect(&fits, 0, 65536, &inspection, &err), 0);
	assert_int_equal(inspection.index_size, INSPECT_INDEX_MAX_BYTES);
	assert_memory_equal(
	    inspection.index_yaml, text.data, INSPECT_INDEX_MAX_BYTES);
	assert_int_equal(inspection.index_yaml[inspection.index_size], '\0');
	inspection_clear(&inspection);

	members[0].size++;
	large = tar_make(members);
	assert_refused(&large);
}

static void
the_index_may_be_empty(void **state)
{
	const struct tar_member members[] = {
	    {"backup/index.yaml", S_IFREG, "", 0, NULL, false},
	    {0},
	};
	auto_bytes struct bytes tar = tar_make(members);
	struct inspection inspection;
	struct error err = {0};

	(void)state;
	assert_int_equal(inspect(&tar, 0, 65536, &inspection, &err), 0);
	assert_int_equal(inspection.index_size, 0);
	assert_string_equal(inspection.index_yaml, "");
	inspection_clear(&inspection);
}

/* Headers that announce ten bytes and bring a thousand: in pax, what star and
 * GNU tar call the real size of a sparse file. */
static void
an_index_larger_than_it_says_is_refused(void **state)
{
	static const char *const keys[] = {
	    "SCHILY.realsize", "GNU.sparse.realsize", "GNU.sparse.size"};
	auto_bytes struct bytes text = bytes_random(100000, 3);

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		auto_bytes struct bytes tar = {0};

		tar_add_pax(&tar, keys[i], "10");
		tar_add_header(&tar, "backup/index.yaml", text.size, '0');
		tar_add_data(&tar, text.data, text.size);
		tar_add_zeros(&tar, 2 * (size_t)TAR_BLOCK);
		assert_refused(&tar);
	}
}

/* And one that announces more than it brings, or has holes. */
static void
a_sparse_index_is_refused(void **state)
{
	auto_bytes struct bytes longer = {0};
	auto_bytes struct bytes holes = {0};

	(void)state;
	tar_add_pax(&longer, "SCHILY.realsize", "1000");
	tar_add_header(&longer, "backup/index.yaml", 5, '0');
	tar_add_data(&longer, "a: b\n", 5);
	tar_add_zeros(&longer, 2 * (size_t)TAR_BLOCK);
	assert_refused(&longer);

	tar_add_pax(&holes, "GNU.sparse.map", "100,5");
	tar_add_header(&holes, "backup/index.yaml", 5, '0');
	tar_add_data(&holes, "a: b\n", 5);
	tar_add_zeros(&holes, 2 * (size_t)TAR_BLOCK);
	assert_refused(&holes);
}

/* Before, at and behind every block, the first zero block among them: what
 * libarchive makes of a failed read must not count. */
static void
the_sources_error_passes(void **state)
{
	auto_bytes struct bytes tar = tar_of_container();

	(void)state;
	tar_add_zeros(&tar, 3 * (size_t)TAR_BLOCK);
	for (size_t size = 0; size <= tar.size;
	     size += size % TAR_BLOCK == 1 ? TAR_BLOCK - 2 : 1) {
		for (size_t i = 0; i < 2 * COUNT(readers); i++) {
			auto_bytes struct bytes got = {0};
			struct inspection inspection;
			struct error err = {0};
			struct stream *s = inspect_new(
			    source_new(tar.data, size, i % 2 ? TAR_BLOCK : 0,
				SOURCE_FAILS),
			    &inspection, &err);

			assert_int_equal(
			    drain(s, readers[i / 2], &got, &err), -1);
			assert_error(&err, ERROR_UNREACHABLE);
			assert_string_equal(err.text, SOURCE_ERROR);
			assert_false(inspection.complete);
			inspection_clear(&inspection);
		}
	}
}

/* A header that says it is followed by gigabytes of names. */
static void
an_endless_header_is_refused(void **state)
{
	static const char types[] = {'x', 'g', 'L', 'K'};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		auto_bytes struct bytes tar = {0};

		tar_add_header(&tar, "backup/index.yaml", 5, '0');
		tar_add_data(&tar, "a: b\n", 5);
		tar_add_header(&tar, "x", UINT64_C(4) << 30, types[i]);
		tar_add_zeros(&tar, (size_t)6 << 20);
		assert_refused(&tar);
	}
}

static void
nothing_passes_through(void **state)
{
	struct error err = {0};
	struct inspection inspection = {0};

	(void)state;
	assert_null(inspect_new(NULL, &inspection, &err));
	inspection_clear(&inspection);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_backup_passes_unchanged),
	    cmocka_unit_test(the_index_is_there_before_the_first_read),
	    cmocka_unit_test(large_members_pass_unchanged),
	    cmocka_unit_test(slow_sources_are_inspected),
	    cmocka_unit_test(every_truncation_is_damage),
	    cmocka_unit_test(padding_may_follow_the_end),
	    cmocka_unit_test(one_zero_block_is_no_end),
	    cmocka_unit_test(data_after_the_end_is_refused),
	    cmocka_unit_test(a_second_tar_is_refused),
	    cmocka_unit_test(a_marker_that_is_not_zero_is_refused),
	    cmocka_unit_test(zeros_of_a_member_are_no_end),
	    cmocka_unit_test(a_member_that_swallows_the_end_is_refused),
	    cmocka_unit_test(what_is_no_tar_is_refused),
	    cmocka_unit_test(a_damaged_header_is_refused),
	    cmocka_unit_test(the_index_must_be_the_first_member),
	    cmocka_unit_test(a_link_with_content_is_no_index),
	    cmocka_unit_test(an_index_is_needed),
	    cmocka_unit_test(the_index_may_have_a_mebibyte),
	    cmocka_unit_test(the_index_may_be_empty),
	    cmocka_unit_test(an_index_larger_than_it_says_is_refused),
	    cmocka_unit_test(a_sparse_index_is_refused),
	    cmocka_unit_test(the_sources_error_passes),
	    cmocka_unit_test(an_endless_header_is_refused),
	    cmocka_unit_test(nothing_passes_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
