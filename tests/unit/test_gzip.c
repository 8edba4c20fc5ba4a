#include <string.h>

#include <zlib.h>

#include "config.h"
#include "stream/gzip.h"
#include "stream/gzip_coders.h"
#include "support.h"

struct maker {
	const char *name;
	struct stream *(*open)(
	    struct stream *from, int level, struct error *err);
	int level_max;
};

static const struct maker makers[] = {
    {"gzip", gzip_new, GZIP_LEVEL_MAX},
    {"zlib", gzip_zlib_new, GZIP_LEVEL_MAX},
#if HAVE_ISAL
    {"isal", gzip_isal_new, GZIP_ISAL_LEVEL_MAX},
#endif
};

struct taker {
	const char *name;
	struct stream *(*open)(struct stream *from, struct error *err);
};

static const struct taker takers[] = {
    {"gunzip", gunzip_new},
    {"zlib", gunzip_zlib_new},
#if HAVE_ISAL
    {"isal", gunzip_isal_new},
#endif
};

static const size_t readers[] = {1, 7, 65536};

/* A read of one byte costs as much as one of 64 KiB. */
#define SMALL_READS_MAX 1100000

static bool
is_affordable(size_t bytes, size_t reader)
{
	return bytes / reader < SMALL_READS_MAX;
}

/* Where buffers end, and what does not compress, and what compresses best. */
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
		/* Text-like: sixteen values only. */
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

/* zlib's own compression in one call. */
static struct bytes
reference_gzip(const struct bytes *plain, int level)
{
	z_stream z = {0};
	struct bytes packed = bytes_zero(plain->size + plain->size / 100 + 100);

	assert_int_equal(
	    deflateInit2(&z, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY),
	    Z_OK);
	z.next_in = plain->data;
	z.avail_in = (uInt)plain->size;
	z.next_out = packed.data;
	z.avail_out = (uInt)packed.size;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	packed.size = z.total_out;
	assert_int_equal(deflateEnd(&z), Z_OK);
	return packed;
}

/* zlib's own decompression; every byte of `packed` must be used. */
static void
assert_reference_gunzips(
    const struct bytes *packed, const struct bytes *expected)
{
	z_stream z = {0};
	auto_bytes struct bytes got = bytes_zero(expected->size + 1);

	assert_int_equal(inflateInit2(&z, 31), Z_OK);
	z.next_in = packed->data;
	z.avail_in = (uInt)packed->size;
	z.next_out = got.data;
	z.avail_out = (uInt)got.size;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	got.size = z.total_out;
	assert_int_equal(inflateEnd(&z), Z_OK);
	assert_same_bytes(&got, expected);
}

static void
pack(const struct maker *maker, int level, size_t reader,
    const struct bytes *plain, struct bytes *ret_packed)
{
	struct error err = {0};
	struct stream *s = maker->open(
	    source_new(plain->data, plain->size, 0, SOURCE_ENDS), level, &err);

	assert_int_equal(drain(s, reader, ret_packed, &err), 0);
	assert_no_error(&err);
}

static int
unpack(const struct taker *taker, size_t reader, size_t chunk,
    const struct bytes *packed, struct bytes *ret_plain, struct error *err)
{
	return drain(taker->open(source_new(packed->data, packed->size, chunk,
				     SOURCE_ENDS),
			 err),
	    reader, ret_plain, err);
}

static void
assert_unpacks(const struct taker *taker, size_t reader,
    const struct bytes *packed, const struct bytes *expected)
{
	auto_bytes struct bytes got = {0};
	struct error err = {0};

	assert_int_equal(unpack(taker, reader, 0, packed, &got, &err), 0);
	assert_same_bytes(&got, expected);
}

/* What every maker makes, at every level, zlib and every taker read. */
static void
every_level_is_read_by_all(void **state)
{
	(void)state;
	for (size_t m = 0; m < COUNT(makers); m++) {
		for (int level = 1; level <= makers[m].level_max; level++) {
			for (size_t i = 0; i < INPUTS; i++) {
				auto_bytes struct bytes packed = {0};

				pack(&makers[m], level, 65536, &inputs[i],
				    &packed);
				assert_reference_gunzips(&packed, &inputs[i]);
				for (size_t t = 0; t < COUNT(takers); t++)
					assert_unpacks(&takers[t], 65536,
					    &packed, &inputs[i]);
			}
		}
	}
}

/* The reader's buffer changes nothing in what is made. */
static void
small_reads_make_the_same(void **state)
{
	(void)state;
	for (size_t m = 0; m < COUNT(makers); m++) {
		for (size_t i = 0; i < INPUTS; i++) {
			auto_bytes struct bytes big = {0};

			pack(&makers[m], 1, 65536, &inputs[i], &big);
			for (size_t r = 0; r < COUNT(readers); r++) {
				auto_bytes struct bytes packed = {0};

				if (!is_affordable(big.size, readers[r]))
					continue;
				pack(&makers[m], 1, readers[r], &inputs[i],
				    &packed);
				assert_reference_gunzips(&packed, &inputs[i]);
			}
		}
	}
}

static void
what_zlib_makes_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < INPUTS; i++) {
		for (int level = 1; level <= 9; level += 4) {
			auto_bytes struct bytes packed =
			    reference_gzip(&inputs[i], level);

			for (size_t t = 0; t < COUNT(takers); t++) {
				for (size_t r = 0; r < COUNT(readers); r++) {
					if (is_affordable(
						inputs[i].size, readers[r]))
						assert_unpacks(&takers[t],
						    readers[r], &packed,
						    &inputs[i]);
				}
			}
		}
	}
}

/* A source that gives a few bytes at a time, as a network does. */
static void
slow_sources_are_read(void **state)
{
	static const size_t chunks[] = {1, 2, 3, 7, 8, 9, 100};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		auto_bytes struct bytes packed = reference_gzip(&inputs[i], 6);

		for (size_t c = 0; c < COUNT(chunks) * COUNT(takers); c++) {
			auto_bytes struct bytes got = {0};
			struct error err = {0};

			assert_int_equal(
			    unpack(&takers[c % COUNT(takers)], 1000,
				chunks[c / COUNT(takers)], &packed, &got, &err),
			    0);
			assert_same_bytes(&got, &inputs[i]);
		}
	}
}

static void
slow_sources_are_packed(void **state)
{
	(void)state;
	for (size_t m = 0; m < COUNT(makers); m++) {
		auto_bytes struct bytes packed = {0};
		struct error err = {0};
		const struct bytes *plain = &inputs[3];

		assert_int_equal(
		    drain(makers[m].open(source_new(plain->data, plain->size, 3,
					     SOURCE_ENDS),
			      makers[m].level_max, &err),
			100, &packed, &err),
		    0);
		assert_reference_gunzips(&packed, plain);
	}
}

/* Short, with a name in the header, and a few hundred bytes of two kinds. */
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
	auto_bytes struct bytes packed = reference_gzip(&plain, 6);
	auto_bytes struct bytes of_nothing = reference_gzip(&inputs[0], 6);
	const struct bytes *wholes[] = {&packed, &of_nothing};

	(void)state;
	for (size_t w = 0; w < COUNT(wholes) * COUNT(takers); w++) {
		const struct bytes *whole = wholes[w % COUNT(wholes)];

		for (size_t size = 0; size < whole->size; size++) {
			auto_bytes struct bytes got = {0};
			struct bytes cut = {whole->data, size};
			struct error err = {0};

			assert_int_equal(unpack(&takers[w / COUNT(wholes)],
					     size % 2 ? 1 : 4096, size % 3,
					     &cut, &got, &err),
			    -1);
			assert_error(&err, ERROR_DAMAGED);
		}
	}
}

/* RFC 1952, 2.3: flag FTEXT and the three reserved flags (which a decoder
 * should refuse, and ISA-L does not), mtime, extra flags, operating system. And
 * in the last byte of deflate data, before the trailer of 8, what is behind the
 * end-of-block code (RFC 1951, 3.1.1) means nothing. */
static bool
may_mean_nothing(size_t byte, int bit, size_t size)
{
	if (byte == 3)
		return bit == 0 || bit >= 5;
	return (byte >= 4 && byte < 10) || byte == size - 9;
}

static void
every_flipped_bit_is_damage(void **state)
{
	auto_bytes struct bytes plain = small_plain();
	auto_bytes struct bytes packed = reference_gzip(&plain, 6);

	(void)state;
	for (size_t t = 0; t < COUNT(takers); t++) {
		for (size_t i = 0; i < packed.size * 8; i++) {
			auto_bytes struct bytes got = {0};
			struct error err = {0};
			int bit = (int)(i % 8);
			int status;

			packed.data[i / 8] ^= (unsigned char)(1 << bit);
			status = unpack(&takers[t], i % 2 ? 1 : 4096, i % 3,
			    &packed, &got, &err);
			packed.data[i / 8] ^= (unsigned char)(1 << bit);

			if (status < 0) {
				assert_error(&err, ERROR_DAMAGED);
				continue;
			}
			if (!may_mean_nothing(i / 8, bit, packed.size))
				fail_msg("%s: bit %d of byte %zu of %zu",
				    takers[t].name, bit, i / 8, packed.size);
			assert_same_bytes(&got, &plain);
		}
	}
}

/* One or more bytes behind the end: any byte, in the same read or the next. */
static void
what_follows_is_refused(void **state)
{
	auto_bytes struct bytes plain = small_plain();

	(void)state;
	for (size_t tail = 1; tail < 40; tail++) {
		auto_bytes struct bytes packed = reference_gzip(&plain, 6);
		size_t whole = packed.size;

		for (size_t i = 0; i < tail; i++)
			bytes_add(&packed, tail % 2 ? "\0" : "\x1f", 1);
		for (size_t t = 0; t < COUNT(takers) * 3; t++) {
			const size_t chunks[] = {0, 1, whole};
			auto_bytes struct bytes got = {0};
			struct error err = {0};

			assert_int_equal(
			    unpack(&takers[t / 3], 4096, chunks[t % 3], &packed,
				&got, &err),
			    -1);
			assert_error(&err, ERROR_DAMAGED);
		}
	}
}

static void
two_members_are_refused(void **state)
{
	auto_bytes struct bytes packed = reference_gzip(&inputs[1], 6);
	auto_bytes struct bytes empty = reference_gzip(&inputs[0], 6);
	auto_bytes struct bytes both = {0};
	auto_bytes struct bytes and_empty = {0};
	const struct bytes *cases[] = {&both, &and_empty};

	(void)state;
	bytes_add(&both, packed.data, packed.size);
	bytes_add(&both, packed.data, packed.size);
	bytes_add(&and_empty, packed.data, packed.size);
	bytes_add(&and_empty, empty.data, empty.size);
	for (size_t i = 0; i < COUNT(cases) * COUNT(takers); i++) {
		auto_bytes struct bytes got = {0};
		struct error err = {0};

		assert_int_equal(unpack(&takers[i / COUNT(cases)], 4096, 0,
				     cases[i % COUNT(cases)], &got, &err),
		    -1);
		assert_error(&err, ERROR_DAMAGED);
	}
}

/* A header with everything RFC 1952 allows in front of an empty stream. */
static void
long_headers_are_read(void **state)
{
	auto_bytes struct bytes empty = reference_gzip(&inputs[0], 6);
	auto_bytes struct bytes packed = {0};

	(void)state;
	bytes_add(&packed, "\x1f\x8b\x08\x1c\0\0\0\0\0\xff", 10);
	bytes_add(&packed, "\x05\0extra", 7);
	bytes_add(&packed, "name.tar", 9);
	bytes_add(&packed, "a comment", 10);
	bytes_add(&packed, empty.data + 10, empty.size - 10);
	for (size_t t = 0; t < COUNT(takers); t++) {
		for (size_t chunk = 0; chunk < 12; chunk++) {
			auto_bytes struct bytes got = {0};
			struct error err = {0};

			assert_int_equal(
			    unpack(&takers[t], 10, chunk, &packed, &got, &err),
			    0);
			assert_int_equal(got.size, 0);
		}
	}
}

static void
the_sources_error_passes(void **state)
{
	auto_bytes struct bytes plain = small_plain();
	auto_bytes struct bytes packed = reference_gzip(&plain, 6);

	(void)state;
	for (size_t size = 0; size <= packed.size; size++) {
		for (size_t t = 0; t < COUNT(takers); t++) {
			auto_bytes struct bytes got = {0};
			struct error err = {0};

			assert_int_equal(
			    drain(takers[t].open(source_new(packed.data, size,
						     0, SOURCE_FAILS),
				      &err),
				100, &got, &err),
			    -1);
			assert_error(&err, ERROR_UNREACHABLE);
		}
	}
	for (size_t m = 0; m < COUNT(makers); m++) {
		auto_bytes struct bytes got = {0};
		struct error err = {0};

		assert_int_equal(
		    drain(makers[m].open(source_new(plain.data, plain.size, 0,
					     SOURCE_FAILS),
			      1, &err),
			100, &got, &err),
		    -1);
		assert_error(&err, ERROR_UNREACHABLE);
	}
}

static void
nothing_passes_through(void **state)
{
	struct error err = {0};

	(void)state;
	assert_null(gzip_new(NULL, 1, &err));
	assert_null(gunzip_new(NULL, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_level_is_read_by_all),
	    cmocka_unit_test(small_reads_make_the_same),
	    cmocka_unit_test(what_zlib_makes_is_read),
	    cmocka_unit_test(slow_sources_are_read),
	    cmocka_unit_test(slow_sources_are_packed),
	    cmocka_unit_test(every_truncation_is_damage),
	    cmocka_unit_test(every_flipped_bit_is_damage),
	    cmocka_unit_test(what_follows_is_refused),
	    cmocka_unit_test(two_members_are_refused),
	    cmocka_unit_test(long_headers_are_read),
	    cmocka_unit_test(the_sources_error_passes),
	    cmocka_unit_test(nothing_passes_through),
	};

	return cmocka_run_group_tests(tests, make_inputs, free_inputs);
}
