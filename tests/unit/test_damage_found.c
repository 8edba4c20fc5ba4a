/* How much of the damage to an archive each level of `backup verify` finds:
 * every truncation of a small one, and random flips of single bits. */

#include <stdio.h>
#include <string.h>

#include "stream/backup_check.h"
#include "stream/digest.h"
#include "stream/unpack.h"
#include "tars.h"

#define FLIPS 10000

static const enum compression_kind kinds[] = {
    COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD};

/* xorshift64 (Marsaglia 2003): the same flips in every run. */
static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static struct bytes
make_archive(enum compression_kind kind)
{
	const struct compression how = {kind, kind == COMPRESSION_NONE ? 0 : 1};
	auto_bytes struct bytes tar = tar_of_container();
	struct bytes packed;
	struct error err = {0};

	assert_int_equal(
	    drain(compress_new(source_new(tar.data, tar.size, 0, SOURCE_ENDS),
		      &how, &err),
		65536, &packed, &err),
	    0);
	return packed;
}

static int
any_index(void *data, const json_t *root, struct error *err)
{
	(void)data;
	(void)root;
	(void)err;
	return 0;
}

/* --level content, of an archive without a manifest. */
static bool
content_finds(const void *data, size_t size, struct digest *ret_tar)
{
	struct backup_counts counts;
	struct digest archive = {0};
	struct packing packing;
	struct error err = {0};
	struct stream *s =
	    digest_new(source_new(data, size, 0, SOURCE_ENDS), &archive, &err);
	int result = -1;

	s = digest_new(unpack_new(s, &packing, &err), ret_tar, &err);
	if (s != NULL)
		result = backup_check(s,
		    &(struct backup_listener){.on_index = any_index}, &counts,
		    &err);
	stream_free(s);
	return result < 0 || !archive.complete;
}

/* --level digest, of one that has a manifest. */
static bool
digest_finds(
    const void *data, size_t size, const char manifest[DIGEST_TEXT_BYTES])
{
	char sha256[DIGEST_TEXT_BYTES];
	struct error err = {0};

	assert_int_equal(digest_bytes(data, size, sha256, &err), 0);
	return strcmp(sha256, manifest) != 0;
}

static void
every_cut_is_found_by_both(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		auto_bytes struct bytes whole = make_archive(kinds[i]);
		char sha256[DIGEST_TEXT_BYTES];
		struct digest tar = {0};
		struct error err = {0};

		assert_false(content_finds(whole.data, whole.size, &tar));
		assert_int_equal(
		    digest_bytes(whole.data, whole.size, sha256, &err), 0);
		for (size_t size = 0; size < whole.size; size++) {
			assert_true(content_finds(whole.data, size, &tar));
			assert_true(digest_finds(whole.data, size, sha256));
		}
		print_message("%s: %zu of %zu cuts found by each level\n",
		    compression_name(kinds[i]), whole.size, whole.size);
	}
}

static void
flip(struct bytes *archive, uint64_t random)
{
	archive->data[random / 8 % archive->size] ^=
	    (unsigned char)(1U << random % 8);
}

/* What a checksum does not find unpacks to the same tar: deflate has more than
 * one code for a run of zeros, and a header's time and level say nothing. */
static size_t
count_found(struct bytes *archive, bool has_checksum)
{
	uint64_t random = 0x9e3779b97f4a7c15;
	char sha256[DIGEST_TEXT_BYTES];
	struct digest whole = {0};
	struct digest tar = {0};
	struct error err = {0};
	size_t count = 0;

	assert_false(content_finds(archive->data, archive->size, &whole));
	assert_int_equal(
	    digest_bytes(archive->data, archive->size, sha256, &err), 0);
	for (size_t n = 0; n < FLIPS; n++) {
		uint64_t which = next_random(&random);
		bool found;

		flip(archive, which);
		found = content_finds(archive->data, archive->size, &tar);
		count += found;
		assert_true(digest_finds(archive->data, archive->size, sha256));
		if (has_checksum && !found)
			assert_string_equal(tar.sha256, whole.sha256);
		flip(archive, which);
	}
	return count;
}

static void
flips_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		auto_bytes struct bytes archive = make_archive(kinds[i]);
		size_t found =
		    count_found(&archive, kinds[i] != COMPRESSION_NONE);

		print_message("%s: of %d flips %zu found by content alone, "
			      "%d by digest\n",
		    compression_name(kinds[i]), FLIPS, found, FLIPS);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_cut_is_found_by_both),
	    cmocka_unit_test(flips_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
