#include <string.h>

#include "stream/digest.h"
#include "support.h"

static void
assert_digest(const void *data, size_t size, const char *sha256)
{
	static const size_t readers[] = {1, 63, 64, 65, 100000};
	char of_bytes[DIGEST_TEXT_BYTES];
	struct error none = {0};

	assert_int_equal(digest_bytes(data, size, of_bytes, &none), 0);
	assert_string_equal(of_bytes, sha256);

	for (size_t i = 0; i < COUNT(readers); i++) {
		auto_bytes struct bytes got = {0};
		struct error err = {0};
		struct digest digest;
		struct bytes expected = {
		    (unsigned char *)(uintptr_t)data, size};
		struct stream *s = digest_new(
		    source_new(data, size, 0, SOURCE_ENDS), &digest, &err);

		assert_int_equal(drain(s, readers[i], &got, &err), 0);
		assert_same_bytes(&got, &expected);
		assert_true(digest.complete);
		assert_int_equal(digest.size_bytes, size);
		assert_string_equal(digest.sha256, sha256);
	}
}

/* FIPS 180-4 and its examples (NIST, "SHA-256 Examples"). */
static void
known_vectors(void **state)
{
	static char million[1000000];
	static const char two_blocks[] =
	    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

	(void)state;
	memset(million, 'a', sizeof(million));
	assert_digest("", 0,
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
	assert_digest("abc", 3,
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	assert_digest(two_blocks, strlen(two_blocks),
	    "248d6a61d20638b8e5c026930c3e6039"
	    "a33ce45964ff2167f6ecedd419db06c1");
	assert_digest(million, sizeof(million),
	    "cdc76e5c9914fb9281a1c7e284d73e67"
	    "f1809a48a497200e046d39ccc7112cd0");
}

static void
a_failed_stream_has_no_digest(void **state)
{
	auto_bytes struct bytes got = {0};
	struct error err = {0};
	struct digest digest = {.complete = true, .size_bytes = 9};
	struct stream *s =
	    digest_new(source_new("abc", 3, 0, SOURCE_FAILS), &digest, &err);

	(void)state;
	assert_int_equal(drain(s, 2, &got, &err), -1);
	assert_error(&err, ERROR_UNREACHABLE);
	assert_false(digest.complete);
	assert_string_equal(digest.sha256, "");
}

static void
a_stream_half_read_has_no_digest(void **state)
{
	struct error err = {0};
	struct digest digest;
	char buf[3];
	auto_stream struct stream *s =
	    digest_new(source_new("abc", 3, 0, SOURCE_ENDS), &digest, &err);

	(void)state;
	assert_int_equal(stream_read(s, buf, 3, &err), 3);
	assert_false(digest.complete);
	assert_int_equal(stream_read(s, buf, 3, &err), 0);
	assert_true(digest.complete);
}

static void
nothing_passes_through(void **state)
{
	struct error err = {0};
	struct digest digest = {.complete = true};

	(void)state;
	assert_null(digest_new(NULL, &digest, &err));
	assert_false(digest.complete);
}

static int
check_again(const char *text, size_t size, const struct digest *sent,
    enum source_end end, struct error *err)
{
	return digest_check(source_new(text, size, 0, end), sent, "there", err);
}

static void
what_is_read_back_must_be_the_same(void **state)
{
	struct error err = {0};
	struct digest sent;
	struct digest half;

	(void)state;
	assert_int_equal(
	    digest_of(source_new("abc", 3, 0, SOURCE_ENDS), &sent, &err), 0);
	assert_int_equal(check_again("abc", 3, &sent, SOURCE_ENDS, &err), 0);

	assert_int_equal(check_again("abd", 3, &sent, SOURCE_ENDS, &err), -1);
	assert_error(&err, ERROR_DAMAGED);
	error_clear(&err);
	assert_int_equal(check_again("ab", 2, &sent, SOURCE_ENDS, &err), -1);
	assert_error(&err, ERROR_DAMAGED);
	error_clear(&err);
	assert_int_equal(check_again("abc", 3, &sent, SOURCE_FAILS, &err), -1);
	assert_error(&err, ERROR_UNREACHABLE);
	error_clear(&err);

	half = sent;
	half.complete = false;
	assert_int_equal(check_again("abc", 3, &half, SOURCE_ENDS, &err), -1);
	assert_error(&err, ERROR_DAMAGED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_vectors),
	    cmocka_unit_test(a_failed_stream_has_no_digest),
	    cmocka_unit_test(a_stream_half_read_has_no_digest),
	    cmocka_unit_test(nothing_passes_through),
	    cmocka_unit_test(what_is_read_back_must_be_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
