#include <string.h>

#include <zstd.h>

#include "stream/zstd.h"
#include "support.h"

#define INPUTS 7
static struct bytes inputs[INPUTS];

static int
make_inputs(void **state)
{
	(void)state;
	inputs[0] = bytes_zero(0);
	inputs[1] = bytes_random(1, 1);
	for (size_t i = 0; i < 3; i++) {
		inputs[2 + i] = bytes_random(STREAM_BUFFER_BYTES - 1 + i, i);
		for (size_t k = 0; k < inputs[2 + i].size; k++)
			inputs[2 + i].data[k] &= 0x0f;
	}
	inputs[5] = bytes_random(1 << 20, 3);
	inputs[6] = bytes_zero((size_t)5 << 20);
	return 0;
}

static int
free_inputs(void **state)
{
	(void)state;
	for (size_t i = 0; i < INPUTS; i++)
		free(inputs[i].data);
	return 0;
}

/* libzstd's own frame in one call, with a checksum as ours have. */
static struct bytes
reference_frame(const struct bytes *plain, int level)
{
	struct bytes packed = bytes_zero(ZSTD_compressBound(plain->size));
	ZSTD_CCtx *context = ZSTD_createCCtx();

	assert_non_null(context);
	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	packed.size = ZSTD_compress2(
	    context, packed.data, packed.size, plain->data, plain->size);
	assert_false(ZSTD_isError(packed.size));
	(void)ZSTD_freeCCtx(context);
	return packed;
}

static void
assert_reference_reads(const struct bytes *packed, const struct bytes *expected)
{
	auto_bytes struct bytes got = bytes_zero(expected->size + 1);
	unsigned int descriptor;

	got.size =
	    ZSTD_decompress(got.data, got.size, packed->data, packed->size);
	assert_false(ZSTD_isError(got.size));
	assert_same_bytes(&got, expected);
	/* RFC 8878, 3.1.1.1.1: Content_Checksum_flag. */
	descriptor = packed->data[4];
	assert_int_equal(descriptor & 4U, 4);
}

static void
pack(int level, size_t reader, size_t chunk, const struct bytes *plain,
    struct bytes *ret_packed)
{
	struct error err = {0};

	assert_int_equal(drain(zstd_new(source_new(plain->data, plain->size,
					    chunk, SOURCE_ENDS),
				   level, &err),
			     reader, ret_packed, &err),
	    0);
	assert_no_error(&err);
}

static int
unpack(size_t reader, size_t chunk, const struct bytes *packed,
    struct bytes *ret_plain, struct error *err)
{
	return drain(unzstd_new(source_new(packed->data, packed->size, chunk,
				    SOURCE_ENDS),
			 err),
	    reader, ret_plain, err);
}

static void
assert_unpacks(size_t reader, size_t chunk, const struct bytes *packed,
    const struct bytes *expected)
{
	auto_bytes struct bytes got = {0};
	struct error err = {0};

	assert_int_equal(unpack(reader, chunk, packed, &got, &err), 0);
	assert_same_bytes(&got, expected);
}

static void
every_level_is_read_back(void **state)
{
	(void)state;
	for (int level = 1; level <= ZSTD_LEVEL_MAX; level++) {
		for (size_t i = 0; i < INPUTS; i++) {
			auto_bytes struct bytes packed = {0};

			/* The slow levels only with little. */
			if (level > 6 && i >= 3 && i != 6)
				continue;
			pack(level, 65536, 0, &inputs[i], &packed);
			assert_reference_reads(&packed, &inputs[i]);
			assert_unpacks(65536, 0, &packed, &inputs[i]);
		}
	}
}

static void
small_reads_make_the_same(void **state)
{
	static const size_t readers[] = {1, 7, 1000};

	(void)state;
	for (size_t i = 0; i < INPUTS; i++) {
		for (size_t r = 0; r < COUNT(readers); r++) {
			auto_bytes struct bytes packed = {0};

			pack(3, readers[r], 0, &inputs[i], &packed);
			assert_reference_reads(&packed, &inputs[i]);
		}
	}
}

static void
what_zstd_makes_is_read(void **state)
{
	static const size_t readers[] = {1, 7, 65536};

	(void)state;
	for (size_t i = 0; i < INPUTS; i++) {
		auto_bytes struct bytes packed = reference_frame(&inputs[i], 3);

		for (size_t r = 0; r < COUNT(readers); r++) {
			if (inputs[i].size / readers[r] < 1100000)
				assert_unpacks(
				    readers[r], 0, &packed, &inputs[i]);
		}
	}
}

static void
slow_sources_work_both_ways(void **state)
{
	static const size_t chunks[] = {1, 3, 7, 100};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (size_t c = 0; c < COUNT(chunks); c++) {
			auto_bytes struct bytes packed = {0};

			pack(3, 1000, chunks[c], &inputs[i], &packed);
			assert_reference_reads(&packed, &inputs[i]);
			assert_unpacks(1000, chunks[c], &packed, &inputs[i]);
		}
	}
}

static struct bytes
small_plain(void)
{
	auto_bytes struct bytes noise = bytes_random(150, 9);
	struct bytes plain = {0};

	for (int i = 0; i < 20; i++)
		bytes_add(&plain, "backup/container/rootfs/", 24);
	bytes_add(&plain, noise.data, noise.size);
	return plain;
}

static void
every_truncation_is_damage(void **state)
{
	auto_bytes struct bytes plain = small_plain();
	auto_bytes struct bytes ours = {0};
	auto_bytes struct bytes theirs = reference_frame(&plain, 3);
	auto_bytes struct bytes of_nothing = {0};
	const struct bytes *wholes[] = {&ours, &theirs, &of_nothing};

	(void)state;
	pack(3, 4096, 0, &plain, &ours);
	pack(3, 4096, 0, &inputs[0], &of_nothing);
	for (size_t w = 0; w < COUNT(wholes); w++) {
		for (size_t size = 0; size < wholes[w]->size; size++) {
			auto_bytes struct bytes got = {0};
			struct bytes cut = {wholes[w]->data, size};
			struct error err = {0};

			assert_int_equal(unpack(size % 2 ? 1 : 4096, size % 3,
					     &cut, &got, &err),
			    -1);
			assert_error(&err, ERROR_DAMAGED);
		}
	}
}

/* RFC 8878: the frame header descriptor (byte 4) has an unused bit, the window
 * (byte 5) is only an upper bound, and the one sequences section has two
 * reserved bits (3.1.1.3.2.1). The content has its checksum. */
static void
every_flipped_bit_is_damage(void **state)
{
	auto_bytes struct bytes plain = small_plain();
	auto_bytes struct bytes packed = {0};
	size_t elsewhere = 0;

	(void)state;
	pack(3, 4096, 0, &plain, &packed);
	for (size_t i = 0; i < packed.size * 8; i++) {
		auto_bytes struct bytes got = {0};
		struct error err = {0};
		unsigned char mask = (unsigned char)(1 << i % 8);
		int status;

		packed.data[i / 8] ^= mask;
		status = unpack(i % 2 ? 1 : 4096, i % 3, &packed, &got, &err);
		packed.data[i / 8] ^= mask;

		if (status < 0) {
			assert_error(&err, ERROR_DAMAGED);
			continue;
		}
		assert_same_bytes(&got, &plain);
		if (i / 8 != 4 && i / 8 != 5)
			elsewhere++;
	}
	assert_in_range(elsewhere, 0, 2);
}

static void
what_follows_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} tails[] = {
	    {"\0", 1},
	    {"\x28", 1},
	    {"\n", 1},
	    {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16},
	    /* A skippable frame (RFC 8878, 3.1.2) of no bytes. */
	    {"\x50\x2a\x4d\x18\0\0\0\0", 8},
	    /* The smallest frame: one empty block. */
	    {"\x28\xb5\x2f\xfd\x20\0\x01\0\0", 9},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(tails) * 2; i++) {
		auto_bytes struct bytes packed = reference_frame(&inputs[1], 3);
		auto_bytes struct bytes got = {0};
		struct error err = {0};
		size_t whole = packed.size;

		bytes_add(&packed, tails[i / 2].bytes, tails[i / 2].size);
		assert_int_equal(
		    unpack(4096, i % 2 ? whole : 0, &packed, &got, &err), -1);
		assert_error(&err, ERROR_DAMAGED);
	}
}

static void
two_frames_are_refused(void **state)
{
	auto_bytes struct bytes packed = reference_frame(&inputs[2], 3);
	auto_bytes struct bytes both = {0};
	auto_bytes struct bytes got = {0};
	struct error err = {0};

	(void)state;
	bytes_add(&both, packed.data, packed.size);
	bytes_add(&both, packed.data, packed.size);
	assert_int_equal(unpack(4096, 0, &both, &got, &err), -1);
	assert_error(&err, ERROR_DAMAGED);
}

/* A skippable frame in front would be an end before the content. */
static void
a_skippable_frame_is_no_content(void **state)
{
	auto_bytes struct bytes packed = reference_frame(&inputs[1], 3);
	auto_bytes struct bytes both = {0};
	auto_bytes struct bytes got = {0};
	struct error err = {0};

	(void)state;
	bytes_add(&both, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
	bytes_add(&both, packed.data, packed.size);
	assert_int_equal(unpack(4096, 0, &both, &got, &err), -1);
	assert_error(&err, ERROR_DAMAGED);
}

/* One empty block behind a window descriptor (RFC 8878, 3.1.1.1.2): the
 * exponent in the upper five bits, above 2^10. */
static int
unpack_window(unsigned int exponent, unsigned int mantissa, struct error *err)
{
	auto_bytes struct bytes got = {0};
	unsigned char frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0x01, 0, 0};
	struct bytes packed = {frame, sizeof(frame)};

	frame[5] = (unsigned char)((exponent - 10) << 3 | mantissa);
	return unpack(100, 0, &packed, &got, err);
}

static void
large_windows_are_refused(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(unpack_window(10, 0, &err), 0);
	assert_int_equal(unpack_window(27, 0, &err), 0);
	assert_no_error(&err);

	assert_int_equal(unpack_window(27, 1, &err), -1);
	assert_error(&err, ERROR_DAMAGED);
	for (unsigned int exponent = 28; exponent <= 41; exponent++) {
		error_clear(&err);
		assert_int_equal(unpack_window(exponent, 0, &err), -1);
		assert_error(&err, ERROR_DAMAGED);
	}
}

static void
the_sources_error_passes(void **state)
{
	auto_bytes struct bytes plain = small_plain();
	auto_bytes struct bytes packed = reference_frame(&plain, 3);
	auto_bytes struct bytes out = {0};
	struct error err = {0};

	(void)state;
	for (size_t size = 0; size <= packed.size; size++) {
		auto_bytes struct bytes got = {0};
		struct error failure = {0};

		assert_int_equal(drain(unzstd_new(source_new(packed.data, size,
						      0, SOURCE_FAILS),
					   &failure),
				     100, &got, &failure),
		    -1);
		assert_error(&failure, ERROR_UNREACHABLE);
	}
	assert_int_equal(
	    drain(zstd_new(source_new(plain.data, plain.size, 0, SOURCE_FAILS),
		      3, &err),
		100, &out, &err),
	    -1);
	assert_error(&err, ERROR_UNREACHABLE);
}

static void
nothing_passes_through(void **state)
{
	struct error err = {0};

	(void)state;
	assert_null(zstd_new(NULL, 3, &err));
	assert_null(unzstd_new(NULL, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_level_is_read_back),
	    cmocka_unit_test(small_reads_make_the_same),
	    cmocka_unit_test(what_zstd_makes_is_read),
	    cmocka_unit_test(slow_sources_work_both_ways),
	    cmocka_unit_test(every_truncation_is_damage),
	    cmocka_unit_test(every_flipped_bit_is_damage),
	    cmocka_unit_test(what_follows_is_refused),
	    cmocka_unit_test(two_frames_are_refused),
	    cmocka_unit_test(a_skippable_frame_is_no_content),
	    cmocka_unit_test(large_windows_are_refused),
	    cmocka_unit_test(the_sources_error_passes),
	    cmocka_unit_test(nothing_passes_through),
	};

	return cmocka_run_group_tests(tests, make_inputs, free_inputs);
}
