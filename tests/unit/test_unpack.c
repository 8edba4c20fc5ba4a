#include <string.h>

#include "keyring.h"
#include "stream/openpgp.h"
#include "stream/unpack.h"

static bool has_gpg;
static struct keyring keyring;
static struct openpgp_recipients to_ann;

static int
prepare(void **state)
{
	char ann[KEYRING_FINGERPRINT_BYTES];
	const char *id = ann;
	struct error err = {0};

	(void)state;
	has_gpg = keyring_has_gpg();
	if (!has_gpg)
		return 0;
	keyring_open(&keyring);
	keyring_generate_plain("Ann <ann@example.org>", ann);
	assert_int_equal(openpgp_init(&err), 0);
	assert_int_equal(openpgp_find_recipients(&id, 1, &to_ann, &err), 0);
	return 0;
}

static int
tidy_up(void **state)
{
	(void)state;
	if (has_gpg)
		keyring_close(&keyring);
	return 0;
}

static void
need_gpg(void)
{
	if (has_gpg)
		return;
	print_message("gpg is not installed\n");
	skip();
}

static struct bytes
pack(const struct bytes *plain, struct packing how)
{
	const struct compression compression = {
	    how.compression, how.compression == COMPRESSION_NONE ? 0 : 1};
	struct bytes packed;
	struct error err = {0};
	struct stream *s =
	    compress_new(source_new(plain->data, plain->size, 0, SOURCE_ENDS),
		&compression, &err);

	if (how.encrypted)
		s = openpgp_encrypt_new(s, &to_ann, &err);
	assert_int_equal(drain(s, 65536, &packed, &err), 0);
	return packed;
}

static int
unpack(const struct bytes *packed, size_t chunk, struct packing *ret_packing,
    struct bytes *ret_plain, struct error *err)
{
	return drain(unpack_new(source_new(packed->data, packed->size, chunk,
				    SOURCE_ENDS),
			 ret_packing, err),
	    10000, ret_plain, err);
}

static void
assert_comes_back(struct packing how)
{
	static const size_t sizes[] = {1, 511, 512, 513, 300000};
	static const size_t chunks[] = {0, 1, 700};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		auto_bytes struct bytes plain = bytes_random(sizes[i], 1);
		auto_bytes struct bytes packed = {0};

		/* Not by chance the beginning of anything known. */
		plain.data[0] = 'b';
		packed = pack(&plain, how);
		for (size_t c = 0; c < COUNT(chunks); c++) {
			auto_bytes struct bytes got = {0};
			struct packing found = {0};
			struct error err = {0};

			if (chunks[c] == 1 && sizes[i] > 1000)
				continue;
			assert_int_equal(
			    unpack(&packed, chunks[c], &found, &got, &err), 0);
			assert_same_bytes(&got, &plain);
			assert_int_equal(found.encrypted, how.encrypted);
			assert_int_equal(found.compression, how.compression);
		}
	}
}

static void
what_is_not_encrypted_comes_back(void **state)
{
	(void)state;
	assert_comes_back((struct packing){false, COMPRESSION_NONE});
	assert_comes_back((struct packing){false, COMPRESSION_GZIP});
	assert_comes_back((struct packing){false, COMPRESSION_ZSTD});
}

static void
what_is_encrypted_comes_back(void **state)
{
	(void)state;
	need_gpg();
	assert_comes_back((struct packing){true, COMPRESSION_NONE});
	assert_comes_back((struct packing){true, COMPRESSION_GZIP});
	assert_comes_back((struct packing){true, COMPRESSION_ZSTD});
}

/* Of a tar of a .gz file, say: what is inside is content. */
static void
one_layer_is_taken_off(void **state)
{
	static const struct packing gzip = {false, COMPRESSION_GZIP};
	static const struct packing zstd = {false, COMPRESSION_ZSTD};
	auto_bytes struct bytes plain = bytes_random(100, 1);
	auto_bytes struct bytes inner = pack(&plain, gzip);
	auto_bytes struct bytes outer = pack(&inner, zstd);
	auto_bytes struct bytes got = {0};
	struct packing found;
	struct error err = {0};

	(void)state;
	assert_int_equal(unpack(&outer, 0, &found, &got, &err), 0);
	assert_int_equal(found.compression, COMPRESSION_ZSTD);
	assert_same_bytes(&got, &inner);
}

static const struct {
	const char *magic;
	size_t size;
	const char *name;
} foreign[] = {
    {"\xfd"
     "7zXZ\0\0\x04",
	8, "xz"},
    {"BZh91AY&SY", 10, "bzip2"},
    {"\x04\x22\x4d\x18\x64\x40", 6, "lz4"},
    {"hsqs\0\0\0\0", 8, "squashfs"},
};

static void
assert_refused(const struct bytes *packed, const char *name)
{
	auto_bytes struct bytes got = {0};
	struct packing found = {.compression = COMPRESSION_ZSTD};
	struct error err = {0};

	assert_int_equal(unpack(packed, 0, &found, &got, &err), -1);
	assert_error(&err, ERROR_DAMAGED);
	if (strstr(err.text, name) == NULL)
		fail_msg("'%s' does not name %s", err.text, name);
	assert_string_not_equal(err.hint, "");
	assert_int_equal(found.compression, COMPRESSION_ZSTD);
}

static void
foreign_compressions_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(foreign); i++) {
		for (size_t rest = 0; rest < 2000; rest += 999) {
			auto_bytes struct bytes packed = {0};
			auto_bytes struct bytes noise = bytes_random(rest, 1);

			bytes_add(&packed, foreign[i].magic, foreign[i].size);
			bytes_add(&packed, noise.data, noise.size);
			assert_refused(&packed, foreign[i].name);
		}
	}
}

static void
foreign_compressions_are_refused_inside(void **state)
{
	(void)state;
	need_gpg();
	for (size_t i = 0; i < COUNT(foreign); i++) {
		auto_bytes struct bytes inner = {0};
		auto_bytes struct bytes packed = {0};

		bytes_add(&inner, foreign[i].magic, foreign[i].size);
		packed = pack(&inner, (struct packing){true, COMPRESSION_NONE});
		assert_refused(&packed, foreign[i].name);
	}
}

static void
emptiness_is_refused(void **state)
{
	const struct bytes nothing = {0};
	auto_bytes struct bytes got = {0};
	struct packing found = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(unpack(&nothing, 0, &found, &got, &err), -1);
	assert_error(&err, ERROR_DAMAGED);
}

static void
damage_inside_is_found(void **state)
{
	static const struct packing hows[] = {
	    {false, COMPRESSION_GZIP},
	    {false, COMPRESSION_ZSTD},
	    {true, COMPRESSION_NONE},
	    {true, COMPRESSION_GZIP},
	};
	auto_bytes struct bytes plain = bytes_random(2000, 1);

	(void)state;
	for (size_t i = 0; i < COUNT(hows); i++) {
		auto_bytes struct bytes packed = {0};
		auto_bytes struct bytes got = {0};
		struct packing found;
		struct error err = {0};

		if (hows[i].encrypted && !has_gpg)
			continue;
		packed = pack(&plain, hows[i]);
		packed.size--;
		assert_int_equal(unpack(&packed, 0, &found, &got, &err), -1);
		assert_error(&err, ERROR_DAMAGED);

		error_clear(&err);
		free(got.data);
		packed.data[packed.size / 2] ^= 4;
		packed.size++;
		assert_int_equal(unpack(&packed, 0, &found, &got, &err), -1);
		assert_error(&err, ERROR_DAMAGED);
	}
}

static void
without_the_key_it_is_a_matter_of_keys(void **state)
{
	auto_bytes struct bytes plain = bytes_random(100, 1);
	auto_bytes struct bytes packed = {0};
	auto_bytes struct bytes got = {0};
	struct keyring empty;
	struct packing found;
	struct error err = {0};

	(void)state;
	need_gpg();
	packed = pack(&plain, (struct packing){true, COMPRESSION_GZIP});
	keyring_open(&empty);
	assert_int_equal(unpack(&packed, 0, &found, &got, &err), -1);
	assert_error(&err, ERROR_KEY);
	keyring_close(&empty);
	keyring_use(&keyring);
}

static void
the_sources_error_passes(void **state)
{
	auto_bytes struct bytes plain = bytes_random(2000, 1);

	(void)state;
	for (int encrypted = 0; encrypted < 1 + has_gpg; encrypted++) {
		auto_bytes struct bytes packed = pack(
		    &plain, (struct packing){encrypted != 0, COMPRESSION_GZIP});

		for (size_t size = 0; size <= packed.size; size += 300) {
			auto_bytes struct bytes got = {0};
			struct packing found;
			struct error err = {0};

			assert_int_equal(
			    drain(unpack_new(source_new(packed.data, size, 0,
						 SOURCE_FAILS),
				      &found, &err),
				100, &got, &err),
			    -1);
			assert_error(&err, ERROR_UNREACHABLE);
			assert_string_equal(err.text, SOURCE_ERROR);
		}
	}
}

static void
nothing_passes_through(void **state)
{
	struct packing found;
	struct error err = {0};

	(void)state;
	assert_null(unpack_new(NULL, &found, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_not_encrypted_comes_back),
	    cmocka_unit_test(what_is_encrypted_comes_back),
	    cmocka_unit_test(one_layer_is_taken_off),
	    cmocka_unit_test(foreign_compressions_are_refused),
	    cmocka_unit_test(foreign_compressions_are_refused_inside),
	    cmocka_unit_test(emptiness_is_refused),
	    cmocka_unit_test(damage_inside_is_found),
	    cmocka_unit_test(without_the_key_it_is_a_matter_of_keys),
	    cmocka_unit_test(the_sources_error_passes),
	    cmocka_unit_test(nothing_passes_through),
	};

	return cmocka_run_group_tests(tests, prepare, tidy_up);
}
