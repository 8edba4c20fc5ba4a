#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "keyring.h"
#include "stream/openpgp_sign.h"

/* Ours, with all secret keys; and one that has only imported public ones. */
static struct keyring ours;
static struct keyring theirs;

#define FINGERPRINT(name) static char name[KEYRING_FINGERPRINT_BYTES]
FINGERPRINT(ann);
FINGERPRINT(other);
FINGERPRINT(twin);
FINGERPRINT(old);
FINGERPRINT(gone);
FINGERPRINT(locked);
FINGERPRINT(public_only);

static const char text[] = "{\n  \"instance\": \"web\"\n}\n";
#define TEXT_SIZE (sizeof(text) - 1)

#define PLAIN "future-default", "default"

/* By the certificate that gpg makes along with each key. */
static void
revoke_key(const char *fingerprint)
{
	char path[200];
	char bytes[4000];
	struct bytes revocation;
	const char *armor;
	size_t size;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/openpgp-revocs.d/%s.rev",
	    ours.home, fingerprint);
	file = fopen(path, "re");
	assert_non_null(file);
	size = fread(bytes, 1, sizeof(bytes) - 1, file);
	assert_int_equal(fclose(file), 0);
	bytes[size] = '\0';
	armor = strstr(bytes, ":-----BEGIN");
	assert_non_null(armor);
	revocation.data = (unsigned char *)(uintptr_t)(armor + 1);
	revocation.size = strlen(armor + 1);
	assert_int_equal(keyring_gpg(&revocation, NULL, "--import", NULL), 0);
}

static int
make_keyrings(void **state)
{
	const struct keyring_key twins = {
	    "Twin <twin@example.org>", PLAIN, "never", NULL, NULL};
	const struct keyring_key expired = {
	    "Old <old@example.org>", PLAIN, "1d", "20200101T000000", NULL};
	const struct keyring_key with_passphrase = {
	    "Locked <locked@example.org>", PLAIN, "never", NULL, "secret"};
	char second_twin[KEYRING_FINGERPRINT_BYTES];

	(void)state;
	keyring_open(&theirs);
	keyring_generate_plain("Stranger <stranger@example.org>", public_only);
	keyring_open(&ours);
	keyring_generate_plain("Ann <ann@example.org>", ann);
	keyring_generate_plain("Other <other@example.org>", other);
	keyring_generate(&twins, twin);
	keyring_generate(&twins, second_twin);
	keyring_generate(&expired, old);
	keyring_generate_plain("Gone <gone@example.org>", gone);
	keyring_generate(&with_passphrase, locked);
	assert_int_equal(keyring_reload(&ours), 0);
	keyring_import(&ours, &theirs, public_only);
	keyring_import(&theirs, &ours, ann);
	keyring_use(&ours);
	return 0;
}

static int
close_keyrings(void **state)
{
	(void)state;
	keyring_close(&ours);
	keyring_close(&theirs);
	return 0;
}

static int
use_ours(void **state)
{
	(void)state;
	keyring_configure(&ours, "");
	keyring_use(&ours);
	return 0;
}

static char *
sign_with(const char *id, char ret_fingerprint[KEYRING_FINGERPRINT_BYTES])
{
	struct error err = {0};
	struct openpgp_signer *signer = openpgp_signer_open(id, &err);
	char *signature = NULL;

	assert_no_error(&err);
	assert_non_null(signer);
	(void)snprintf(ret_fingerprint, KEYRING_FINGERPRINT_BYTES, "%s",
	    openpgp_signer_fingerprint(signer));
	assert_int_equal(
	    openpgp_sign(signer, text, TEXT_SIZE, &signature, &err), 0);
	openpgp_signer_free(signer);
	return signature;
}

/* As gpg alone makes one, at a faked time. */
static struct bytes
gpg_signature(const char *key, const char *when, const char *digest)
{
	struct bytes message = {(unsigned char *)(uintptr_t)text, TEXT_SIZE};
	struct bytes signature = {0};

	assert_int_equal(
	    keyring_gpg(&message, &signature, "--faked-system-time", when,
		"--allow-weak-key-signatures", "--digest-algo", digest, "-u",
		key, "--detach-sign", NULL),
	    0);
	return signature;
}

static struct openpgp_verdict
verdict_on(const void *message, size_t size, const void *signature,
    size_t signature_size)
{
	struct openpgp_verdict verdict = {.good = true};
	struct error err = {0};

	assert_int_equal(openpgp_verify(message, size, signature,
			     signature_size, &verdict, &err),
	    0);
	assert_no_error(&err);
	assert_int_equal(verdict.good, verdict.problem == NULL);
	assert_int_equal(verdict.good, verdict.fingerprint[0] != '\0');
	return verdict;
}

static void
assert_not_good(const void *message, size_t size, const void *signature,
    size_t signature_size, bool forged)
{
	struct openpgp_verdict verdict =
	    verdict_on(message, size, signature, signature_size);

	assert_false(verdict.good);
	assert_int_equal(verdict.forged, forged);
}

static void
test_signed_and_verified(void **state)
{
	static const char *const spellings[] = {
	    "ann@example.org", "Ann <ann@example.org>", ann};

	(void)state;
	for (size_t i = 0; i < COUNT(spellings); i++) {
		char by[KEYRING_FINGERPRINT_BYTES];
		auto_free char *signature = sign_with(spellings[i], by);
		struct openpgp_verdict verdict;

		assert_string_equal(by, ann);
		assert_memory_equal(
		    signature, "-----BEGIN PGP SIGNATURE-----", 29);
		assert_int_equal(signature[strlen(signature) - 1], '\n');
		verdict =
		    verdict_on(text, TEXT_SIZE, signature, strlen(signature));
		assert_true(verdict.good);
		assert_string_equal(verdict.fingerprint, ann);
	}
}

static void
test_any_changed_byte_is_seen(void **state)
{
	char by[KEYRING_FINGERPRINT_BYTES];
	auto_free char *signature = sign_with("ann@example.org", by);
	char changed[sizeof(text)];

	(void)state;
	for (size_t i = 0; i < TEXT_SIZE; i += 5) {
		memcpy(changed, text, sizeof(text));
		changed[i] ^= 1;
		assert_not_good(
		    changed, TEXT_SIZE, signature, strlen(signature), true);
	}
	assert_not_good(
	    text, TEXT_SIZE - 1, signature, strlen(signature), true);
	assert_not_good("", 0, signature, strlen(signature), true);
}

static void
test_what_is_no_signature(void **state)
{
	char by[KEYRING_FINGERPRINT_BYTES];
	auto_free char *signature = sign_with("ann@example.org", by);
	auto_bytes struct bytes noise = bytes_random(4096, 3);
	auto_bytes struct bytes inline_signed = {0};
	struct bytes message = {(unsigned char *)(uintptr_t)text, TEXT_SIZE};

	(void)state;
	assert_not_good(text, TEXT_SIZE, "", 0, true);
	assert_not_good(text, TEXT_SIZE, noise.data, noise.size, true);
	assert_not_good(
	    text, TEXT_SIZE, signature, strlen(signature) / 2, true);
	assert_int_equal(
	    keyring_gpg(&message, &inline_signed, "-u", ann, "--sign", NULL),
	    0);
	assert_not_good(
	    text, TEXT_SIZE, inline_signed.data, inline_signed.size, true);
}

static void
test_a_key_that_is_not_here(void **state)
{
	char by[KEYRING_FINGERPRINT_BYTES];
	auto_free char *by_ann = sign_with("ann@example.org", by);
	auto_free char *by_other = sign_with("other@example.org", by);
	struct openpgp_verdict verdict;

	(void)state;
	keyring_use(&theirs);
	verdict = verdict_on(text, TEXT_SIZE, by_ann, strlen(by_ann));
	assert_string_equal(verdict.fingerprint, ann);
	assert_not_good(text, TEXT_SIZE, by_other, strlen(by_other), false);
}

static void
test_a_key_that_expired_later(void **state)
{
	auto_bytes struct bytes before =
	    gpg_signature(old, "20200101T120000!", "SHA256");

	(void)state;
	assert_string_equal(
	    verdict_on(text, TEXT_SIZE, before.data, before.size).fingerprint,
	    old);
}

static void
test_a_key_that_had_expired(void **state)
{
	static const char *const options[] = {"--ignore-time-conflict"};
	struct bytes message = {(unsigned char *)(uintptr_t)text, TEXT_SIZE};
	auto_bytes struct bytes after = {0};
	const struct keyring_key brief = {
	    "Brief <brief@example.org>", PLAIN, "10d", "20200101T000000", NULL};
	char fingerprint[KEYRING_FINGERPRINT_BYTES];

	(void)state;
	/* It signs while it lasts; then its end is brought forward. */
	keyring_generate(&brief, fingerprint);
	assert_int_equal(
	    keyring_gpg(&message, &after, "--faked-system-time",
		"20200105T000000!", "-u", fingerprint, "--detach-sign", NULL),
	    0);
	assert_int_equal(
	    keyring_gpg(NULL, NULL, options[0], "--faked-system-time",
		"20200106T000000!", "--quick-set-expire", fingerprint,
		"20200103T000000", NULL),
	    0);
	assert_not_good(text, TEXT_SIZE, after.data, after.size, false);
}

static void
test_a_revoked_key(void **state)
{
	char by[KEYRING_FINGERPRINT_BYTES];
	auto_free char *signature = sign_with("gone@example.org", by);
	struct error err = {0};

	(void)state;
	assert_true(
	    verdict_on(text, TEXT_SIZE, signature, strlen(signature)).good);
	revoke_key(gone);
	assert_not_good(text, TEXT_SIZE, signature, strlen(signature), false);
	assert_null(openpgp_signer_open("gone@example.org", &err));
	assert_error(&err, ERROR_KEY);
}

static void
test_a_weak_digest(void **state)
{
	auto_bytes struct bytes strong =
	    gpg_signature(ann, "20400101T000000", "SHA512");
	auto_bytes struct bytes weak =
	    gpg_signature(ann, "20400101T000000", "SHA1");

	(void)state;
	assert_true(verdict_on(text, TEXT_SIZE, strong.data, strong.size).good);
	assert_false(verdict_on(text, TEXT_SIZE, weak.data, weak.size).good);
}

static void
test_two_signatures(void **state)
{
	char by[KEYRING_FINGERPRINT_BYTES];
	struct bytes message = {(unsigned char *)(uintptr_t)text, TEXT_SIZE};
	auto_bytes struct bytes both = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(keyring_gpg(&message, &both, "-u", ann, "-u", other,
			     "--detach-sign", NULL),
	    0);
	assert_not_good(text, TEXT_SIZE, both.data, both.size, false);

	(void)snprintf(by, sizeof(by), "%s", "local-user other@example.org");
	keyring_configure(&ours, by);
	assert_null(openpgp_signer_open(ann, &err));
	assert_error(&err, ERROR_KEY);
	assert_non_null(strstr(err.hint, "local-user"));
}

static void
test_keys_that_cannot_sign(void **state)
{
	static const struct {
		const char *id;
		const char *why;
	} cases[] = {
	    {"nobody@example.org", "no secret key for 'nobody@example.org'"},
	    {public_only, "no secret key for"},
	    {"old@example.org", "is expired"},
	    {"twin@example.org", "2 usable keys"},
	    {"locked@example.org", "cannot sign"},
	    {"", "an empty key name"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct error err = {0};

		assert_null(openpgp_signer_open(cases[i].id, &err));
		assert_error(
		    &err, i + 1 < COUNT(cases) ? ERROR_KEY : ERROR_USAGE);
		if (strstr(err.text, cases[i].why) == NULL)
			fail_msg("%s", err.text);
	}
}

static void
test_which_twin_is_offered(void **state)
{
	struct error err = {0};

	(void)state;
	assert_null(openpgp_signer_open("twin@example.org", &err));
	assert_non_null(strstr(err.hint, twin));
	assert_non_null(strstr(err.hint, "--sign "));
}

static void
test_fingerprints_as_typed(void **state)
{
	static const char whole[] = "0123456789ABCDEF0123456789ABCDEF01234567";
	static const char *const good[] = {whole,
	    "0123456789abcdef0123456789abcdef01234567",
	    "0x0123456789ABCDEF0123456789ABCDEF01234567",
	    "0123 4567 89AB CDEF 0123  4567 89AB CDEF 0123 4567"};
	static const char *const bad[] = {"", "ann@example.org",
	    "0123456789ABCDEF", "01234567", "0123456789ABCDEF0123456789ABCDEF"};
	char digits[OPENPGP_FINGERPRINT_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct error err = {0};

		assert_int_equal(
		    openpgp_parse_fingerprint(good[i], digits, &err), 0);
		assert_string_equal(digits, whole);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct error err = {0};

		assert_int_equal(
		    openpgp_parse_fingerprint(bad[i], digits, &err), -1);
		assert_error(&err, ERROR_USAGE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_signed_and_verified, use_ours),
	    cmocka_unit_test_setup(test_any_changed_byte_is_seen, use_ours),
	    cmocka_unit_test_setup(test_what_is_no_signature, use_ours),
	    cmocka_unit_test_setup(test_a_key_that_is_not_here, use_ours),
	    cmocka_unit_test_setup(test_a_key_that_expired_later, use_ours),
	    cmocka_unit_test_setup(test_a_key_that_had_expired, use_ours),
	    cmocka_unit_test_setup(test_a_revoked_key, use_ours),
	    cmocka_unit_test_setup(test_a_weak_digest, use_ours),
	    cmocka_unit_test_setup(test_two_signatures, use_ours),
	    cmocka_unit_test_setup(test_keys_that_cannot_sign, use_ours),
	    cmocka_unit_test_setup(test_which_twin_is_offered, use_ours),
	    cmocka_unit_test(test_fingerprints_as_typed),
	};

	if (!keyring_has_gpg()) {
		print_message("skipped: gpg is not installed\n");
		return KEYRING_SKIPPED;
	}
	return cmocka_run_group_tests(tests, make_keyrings, close_keyrings);
}
