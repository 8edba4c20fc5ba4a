#include <string.h>

#include "stream/compression.h"
#include "support.h"

static void
what_may_be_asked_for(void **state)
{
	static const struct {
		const char *text;
		enum compression_kind kind;
		int level;
	} cases[] = {
	    {"none", COMPRESSION_NONE, 0},
	    {"gzip", COMPRESSION_GZIP, 1},
	    {"gzip:1", COMPRESSION_GZIP, 1},
	    {"gzip:9", COMPRESSION_GZIP, 9},
	    {"zstd", COMPRESSION_ZSTD, 1},
	    {"zstd:1", COMPRESSION_ZSTD, 1},
	    {"zstd:19", COMPRESSION_ZSTD, 19},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct compression how = {0};
		struct error err = {0};

		assert_int_equal(
		    compression_parse(cases[i].text, &how, &err), 0);
		assert_no_error(&err);
		assert_int_equal(how.kind, cases[i].kind);
		assert_int_equal(how.level, cases[i].level);
	}
}

static void
what_may_not(void **state)
{
	static const char *const bad[] = {"", ":", ":1", "gzip:", "gzip:0",
	    "gzip:10", "gzip:-1", "gzip:1x", "gzip: 1", "gzip:1:2", "gzip ",
	    " gzip", "GZIP", "gzi", "gzipp", "zstd:0", "zstd:20",
	    "zstd:18446744073709551617", "none:", "none:0", "none:1", "xz",
	    "bzip2", "lz4", "gzip -9", "gzip\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct compression how = {.kind = COMPRESSION_ZSTD, .level = 5};
		struct error err = {0};

		assert_int_equal(compression_parse(bad[i], &how, &err), -1);
		assert_error(&err, ERROR_USAGE);
		assert_string_not_equal(err.hint, "");
		assert_int_equal(how.kind, COMPRESSION_ZSTD);
		assert_int_equal(how.level, 5);
	}
}

static void
names_and_suffixes(void **state)
{
	(void)state;
	assert_string_equal(compression_name(COMPRESSION_NONE), "none");
	assert_string_equal(compression_name(COMPRESSION_GZIP), "gzip");
	assert_string_equal(compression_name(COMPRESSION_ZSTD), "zstd");
	assert_string_equal(compression_suffix(COMPRESSION_NONE), ".tar");
	assert_string_equal(compression_suffix(COMPRESSION_GZIP), ".tar.gz");
	assert_string_equal(compression_suffix(COMPRESSION_ZSTD), ".tar.zst");
}

static enum compression_kind
detect(const char *head, size_t size)
{
	return compression_detect((const unsigned char *)head, size);
}

static void
content_is_recognised(void **state)
{
	(void)state;
	assert_int_equal(detect("\x1f\x8b\x08", 3), COMPRESSION_GZIP);
	assert_int_equal(detect("\x1f\x8b", 2), COMPRESSION_GZIP);
	assert_int_equal(detect("\x1f", 1), COMPRESSION_NONE);
	assert_int_equal(detect("\x28\xb5\x2f\xfd", 4), COMPRESSION_ZSTD);
	assert_int_equal(detect("\x28\xb5\x2f", 3), COMPRESSION_NONE);
	/* A skippable frame is no content. */
	assert_int_equal(detect("\x50\x2a\x4d\x18", 4), COMPRESSION_NONE);
	assert_int_equal(detect("backup/index", 12), COMPRESSION_NONE);
	assert_int_equal(detect("", 0), COMPRESSION_NONE);
}

static void
each_kind_comes_back(void **state)
{
	static const struct compression hows[] = {
	    {COMPRESSION_NONE, 0},
	    {COMPRESSION_GZIP, 1},
	    {COMPRESSION_GZIP, 6},
	    {COMPRESSION_ZSTD, 3},
	};
	auto_bytes struct bytes data = bytes_random(100000, 6);

	(void)state;
	for (size_t i = 0; i < COUNT(hows); i++) {
		auto_bytes struct bytes packed = {0};
		auto_bytes struct bytes got = {0};
		struct error err = {0};

		assert_int_equal(
		    drain(compress_new(
			      source_new(data.data, data.size, 0, SOURCE_ENDS),
			      &hows[i], &err),
			9999, &packed, &err),
		    0);
		assert_int_equal(
		    compression_detect(packed.data, packed.size), hows[i].kind);
		assert_int_equal(
		    drain(decompress_new(source_new(packed.data, packed.size, 0,
					     SOURCE_ENDS),
			      hows[i].kind, &err),
			9999, &got, &err),
		    0);
		assert_same_bytes(&got, &data);
	}
}

static void
none_is_no_filter(void **state)
{
	const struct compression none = {COMPRESSION_NONE, 0};
	struct error err = {0};
	auto_stream struct stream *s = source_new("", 0, 0, SOURCE_ENDS);

	(void)state;
	assert_ptr_equal(compress_new(s, &none, &err), s);
	assert_ptr_equal(decompress_new(s, COMPRESSION_NONE, &err), s);
}

static void
nothing_passes_through(void **state)
{
	struct error err = {0};

	(void)state;
	for (int kind = COMPRESSION_NONE; kind <= COMPRESSION_ZSTD; kind++) {
		const struct compression how = {
		    (enum compression_kind)kind, kind != COMPRESSION_NONE};

		assert_null(compress_new(NULL, &how, &err));
		assert_null(decompress_new(NULL, how.kind, &err));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_may_be_asked_for),
	    cmocka_unit_test(what_may_not),
	    cmocka_unit_test(names_and_suffixes),
	    cmocka_unit_test(content_is_recognised),
	    cmocka_unit_test(each_kind_comes_back),
	    cmocka_unit_test(none_is_no_filter),
	    cmocka_unit_test(nothing_passes_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
