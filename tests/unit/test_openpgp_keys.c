#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "keyring.h"
#include "stream/openpgp.h"

/* Ours, and one whose keys nobody here has certified. */
static struct keyring ours;
static struct keyring theirs;

#define FINGERPRINT(name) static char name[KEYRING_FINGERPRINT_BYTES]
FINGERPRINT(ann);
FINGERPRINT(joann);
FINGERPRINT(twin_one);
FINGERPRINT(twin_two);
FINGERPRINT(old);
FINGERPRINT(fresh);
FINGERPRINT(revoked);
FINGERPRINT(signer);
FINGERPRINT(later);
FINGERPRINT(stranger);
FINGERPRINT(renewed);

#define PLAIN "future-default", "default"

static void
revoke_key(const char *fingerprint)
{
	char path[200];
	char text[4000];
	struct bytes revocation;
	const char *armor;
	size_t size;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/openpgp-revocs.d/%s.rev",
	    ours.home, fingerprint);
	file = fopen(path, "re");
	assert_non_null(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	assert_int_equal(fclose(file), 0);
	text[size] = '\0';
	/* A colon keeps it from being used by mistake. */
	armor = strstr(text, ":-----BEGIN");
	assert_non_null(armor);
	revocation.data = (unsigned char *)(uintptr_t)(armor + 1);
	revocation.size = strlen(armor + 1);
	assert_int_equal(keyring_gpg(&revocation, NULL, "--import", NULL), 0);
}

static int
make_keyrings(void **state)
{
	const struct keyring_key once_one = {
	    "Twin <twin@example.org>", PLAIN, "never", NULL, NULL};
	const struct keyring_key expired = {
	    "Old <old@example.org>", PLAIN, "1d", "20200101T000000", NULL};
	const struct keyring_key replaced = {
	    "New <new@example.org>", PLAIN, "1d", "20200101T000000", NULL};
	const struct keyring_key sign_only = {"Signer <signer@example.org>",
	    "ed25519", "sign", "never", NULL, NULL};
	const struct keyring_key ends_later = {
	    "Later <later@example.org>", PLAIN, "2y", NULL, NULL};
	struct error err = {0};

	(void)state;
	keyring_open(&theirs);
	keyring_generate_plain("Stranger <stranger@example.org>", stranger);

	keyring_open(&ours);
	keyring_generate_plain("Joann <joann@example.org>", joann);
	keyring_generate_plain("Ann <ann@example.org>", ann);
	keyring_generate(&once_one, twin_one);
	keyring_generate(&once_one, twin_two);
	keyring_generate(&expired, old);
	keyring_generate(&replaced, renewed);
	keyring_generate_plain("New <new@example.org>", fresh);
	keyring_generate(&sign_only, signer);
	keyring_generate(&ends_later, later);
	keyring_generate_plain("Revoked <revoked@example.org>", revoked);
	revoke_key(revoked);
	keyring_import(&ours, &theirs, stranger);
	assert_int_equal(openpgp_init(&err), 0);
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

static void
assert_found(const char *id, const char *fingerprint)
{
	struct openpgp_recipients found = {0};
	struct error err = {0};

	assert_int_equal(openpgp_find_recipients(&id, 1, &found, &err), 0);
	assert_no_error(&err);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.keys[0].fingerprint, fingerprint);
}

static void
assert_refused(const char *id, const char *why)
{
	struct openpgp_recipients found = {.count = 77};
	struct error err = {0};

	assert_int_equal(openpgp_find_recipients(&id, 1, &found, &err), -1);
	assert_error(&err, ERROR_KEY);
	if (strstr(err.text, why) == NULL)
		fail_msg("'%s' does not say '%s'", err.text, why);
	assert_string_not_equal(err.hint, "");
	assert_int_equal(found.count, 77);
}

static void
an_address_is_the_whole_address(void **state)
{
	(void)state;
	assert_found("ann@example.org", ann);
	assert_found("joann@example.org", joann);
	assert_found("Ann@Example.ORG", ann);
	/* gpg itself finds this inside of addresses. */
	assert_refused("n@example.org", "no key");
	assert_refused("@example.org", "no key");
	assert_refused("ann@example.or", "no key");
}

static void
gpgs_own_forms_are_understood(void **state)
{
	char id[100];

	(void)state;
	assert_found("<ann@example.org>", ann);
	assert_found("=Ann <ann@example.org>", ann);
	(void)snprintf(id, sizeof(id), "%s", ann + 24);
	assert_found(id, ann);
	(void)snprintf(id, sizeof(id), "0x%s", ann);
	assert_found(id, ann);
	/* In groups of four, as gpg prints it. */
	id[0] = '\0';
	for (size_t i = 0; i < 40; i += 4)
		(void)snprintf(id + strlen(id), sizeof(id) - strlen(id),
		    "%.4s%s", ann + i, i == 16 ? "  " : " ");
	assert_found(id, ann);
}

/* Somebody here has certified that Mallory's key is Mallory's, and no more. */
static void
only_the_user_id_that_is_meant_counts(void **state)
{
	static const char *const names[] = {"nan@example.net",
	    "<nan@example.net>", "<NAN@example.net>", "Nan Other", "nan other",
	    "Nan Other <nan@example.net>", "other <nan@example.net>",
	    "=Nan Other <nan@example.net>", " Nan Other"};
	FINGERPRINT(mallory);

	(void)state;
	keyring_use(&theirs);
	keyring_generate_plain("Mallory <mallory@example.net>", mallory);
	assert_int_equal(keyring_gpg(NULL, NULL, "--quick-add-uid", mallory,
			     "Nan Other <nan@example.net>", NULL),
	    0);
	keyring_import(&ours, &theirs, mallory);
	assert_int_equal(keyring_gpg(NULL, NULL, "--quick-lsign-key", mallory,
			     "Mallory <mallory@example.net>", NULL),
	    0);

	assert_found("mallory@example.net", mallory);
	assert_found("mallory", mallory);
	assert_found("Mallory <mallory@example.net>", mallory);
	assert_found("=Mallory <mallory@example.net>", mallory);
	/* Of no user id in particular. */
	assert_found(mallory + 24, mallory);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_refused(names[i], "certified");
	/* What gpg would find, and is nobody's address. */
	assert_refused("Mallory <mallory@example.ne", "no key");
	assert_found(mallory, mallory);
}

/* The second fingerprint that gpg lists: of the part that encrypts. */
static void
subkey_of(const char *fingerprint, char ret_subkey[KEYRING_FINGERPRINT_BYTES])
{
	auto_bytes struct bytes list = {0};
	const char *line;

	assert_int_equal(keyring_gpg(NULL, &list, "--with-colons",
			     "--list-keys", fingerprint, NULL),
	    0);
	bytes_add(&list, "", 1);
	line = strstr((const char *)list.data, "\nsub:");
	assert_non_null(line);
	line = strstr(line, "\nfpr:::::::::");
	assert_non_null(line);
	(void)snprintf(ret_subkey, KEYRING_FINGERPRINT_BYTES, "%s",
	    line + strlen("\nfpr:::::::::"));
}

/* Who has bound it to a key, gpg does not ask it. */
static void
the_fingerprint_of_a_part_is_no_consent(void **state)
{
	char subkey[KEYRING_FINGERPRINT_BYTES];

	(void)state;
	subkey_of(ann, subkey);
	assert_found(subkey, ann);
	assert_found(subkey + 24, ann);
	subkey_of(stranger, subkey);
	assert_refused(subkey, "certified");
	assert_refused(subkey + 24, "certified");
}

static void
unknown_keys_are_refused(void **state)
{
	(void)state;
	assert_refused("nobody@example.org", "no key");
	assert_refused("Nobody", "no key");
	assert_refused("0123456789ABCDEF0123456789ABCDEF01234567", "no key");
	assert_refused("0123456789ABCDEF", "no key");
}

static void
unusable_keys_are_refused(void **state)
{
	(void)state;
	assert_refused("old@example.org", "expired");
	assert_refused(old, "expired");
	assert_refused("revoked@example.org", "revoked");
	assert_refused(revoked, "revoked");
	assert_refused("signer@example.org", "encrypt");
	assert_refused(signer, "encrypt");
}

/* The reason must be about the key that was asked for. */
static void
another_addresss_key_is_no_reason(void **state)
{
	(void)state;
	assert_refused("ld@example.org", "no key");
	assert_refused("evoked@example.org", "no key");
	assert_refused("igner@example.org", "no key");
}

static void
an_expired_predecessor_does_not_count(void **state)
{
	(void)state;
	assert_found("new@example.org", fresh);
}

static void
disabled_keys_are_refused(void **state)
{
	FINGERPRINT(asleep);

	(void)state;
	keyring_generate_plain("Asleep <asleep@example.org>", asleep);
	assert_found("asleep@example.org", asleep);
	assert_int_equal(keyring_gpg(NULL, NULL, "--edit-key", asleep,
			     "disable", "save", NULL),
	    0);
	assert_refused("asleep@example.org", "disabled");
	assert_refused(asleep, "disabled");
}

static void
a_revoked_user_id_is_gone(void **state)
{
	static const char gone[] = "Joann <jo@example.org>";

	(void)state;
	assert_int_equal(
	    keyring_gpg(NULL, NULL, "--quick-add-uid", joann, gone, NULL), 0);
	assert_found("jo@example.org", joann);
	assert_int_equal(
	    keyring_gpg(NULL, NULL, "--quick-revoke-uid", joann, gone, NULL),
	    0);
	assert_refused("jo@example.org", "no key");
	assert_found("joann@example.org", joann);
}

static void
two_keys_ask_for_a_choice(void **state)
{
	const char *id = "twin@example.org";
	struct openpgp_recipients found;
	struct error err = {0};

	(void)state;
	assert_int_equal(openpgp_find_recipients(&id, 1, &found, &err), -1);
	assert_error(&err, ERROR_KEY);
	assert_non_null(strstr(err.hint, twin_one));
	assert_non_null(strstr(err.hint, twin_two));
	assert_null(strstr(err.hint, ann));
	assert_found(twin_one, twin_one);
	assert_found(twin_two, twin_two);
}

/* A user id is anybody's text, and what is shown gets pasted. */
static void
a_choice_can_be_pasted(void **state)
{
	static const char hostile[] =
	    "It's; touch /tmp/x #$(id) <evil@example.org>";
	static const char shown[] = "'It'\\''s; touch /tmp/x #$(id) "
				    "<evil@example.org>'";
	const char *id = "evil@example.org";
	struct openpgp_recipients found;
	struct error err = {0};
	char lines[2][200];
	FINGERPRINT(one);
	FINGERPRINT(two);

	(void)state;
	keyring_generate_plain(hostile, one);
	keyring_generate_plain(hostile, two);
	assert_int_equal(openpgp_find_recipients(&id, 1, &found, &err), -1);
	(void)snprintf(
	    lines[0], sizeof(lines[0]), "--gpg %s  # %s", one, shown);
	(void)snprintf(
	    lines[1], sizeof(lines[1]), "--gpg %s  # %s", two, shown);
	assert_non_null(strstr(err.hint, lines[0]));
	assert_non_null(strstr(err.hint, lines[1]));
	assert_int_equal(
	    strlen(err.hint), strlen(lines[0]) + 1 + strlen(lines[1]));
}

static void
an_uncertified_key_needs_its_fingerprint(void **state)
{
	const char *id = "stranger@example.org";
	struct openpgp_recipients found;
	struct error err = {0};

	(void)state;
	assert_int_equal(openpgp_find_recipients(&id, 1, &found, &err), -1);
	assert_error(&err, ERROR_KEY);
	assert_non_null(strstr(err.hint, stranger));
	assert_refused("Stranger", "certified");
	/* A key id is no fingerprint. */
	assert_refused(stranger + 24, "certified");
	assert_refused(stranger + 32, "certified");
	assert_found(stranger, stranger);
}

static void
a_key_counts_once(void **state)
{
	const char *const ids[] = {
	    "ann@example.org", ann, "joann@example.org", ann + 24};
	struct openpgp_recipients found;
	struct error err = {0};

	(void)state;
	assert_int_equal(
	    openpgp_find_recipients(ids, COUNT(ids), &found, &err), 0);
	assert_int_equal(found.count, 2);
	assert_string_equal(found.keys[0].fingerprint, ann);
	assert_string_equal(found.keys[1].fingerprint, joann);
}

static void
one_bad_id_refuses_all(void **state)
{
	const char *const ids[] = {"ann@example.org", "nobody@example.org"};
	struct openpgp_recipients found = {.count = 77};
	struct error err = {0};

	(void)state;
	assert_int_equal(openpgp_find_recipients(ids, 2, &found, &err), -1);
	assert_error(&err, ERROR_KEY);
	assert_int_equal(found.count, 77);
}

static void
misuse_is_told(void **state)
{
	const char *ids[OPENPGP_RECIPIENTS_MAX + 1];
	const char *empty = "";
	struct openpgp_recipients found;
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(ids); i++)
		ids[i] = "ann@example.org";
	assert_int_equal(
	    openpgp_find_recipients(ids, COUNT(ids), &found, &err), -1);
	assert_error(&err, ERROR_USAGE);

	error_clear(&err);
	assert_int_equal(openpgp_find_recipients(&empty, 1, &found, &err), -1);
	assert_error(&err, ERROR_USAGE);
}

static void
the_end_of_a_key_is_known(void **state)
{
	const char *const ids[] = {"later@example.org", "ann@example.org"};
	struct openpgp_recipients found;
	struct error err = {0};
	time_t year = (time_t)365 * 24 * 3600;
	time_t now = time(NULL);

	(void)state;
	assert_int_equal(openpgp_find_recipients(ids, 2, &found, &err), 0);
	assert_string_equal(found.keys[0].fingerprint, later);
	assert_true(found.keys[0].expires > now + year);
	assert_true(found.keys[0].expires < now + 3 * year);
	assert_int_equal(found.keys[1].expires, 0);
}

/* A list that is cut short may lack the second key of a name. */
static void
a_broken_keyring_is_no_list(void **state)
{
	struct keyring broken;
	char path[100];
	FILE *file;

	(void)state;
	keyring_open(&broken);
	(void)snprintf(path, sizeof(path), "%s/pubring.kbx", broken.home);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs("garbage\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_refused("ann@example.org", "cannot list");
	keyring_close(&broken);
	keyring_use(&ours);
}

/* The configuration of a gpg that starts and waits, a FIFO, and what lets it
 * go on. */
static char blocking[100];
static int release_pipe[2];

/* Once gpg waits, send SIGTERM; hold gpg until the test lets it go. */
static void
send_when_gpg_waits(pid_t whom)
{
	char byte;

	(void)close(release_pipe[1]);
	if (open(blocking, O_WRONLY | O_CLOEXEC) >= 0)
		(void)kill(whom, SIGTERM);
	(void)!read(release_pipe[0], &byte, 1);
	_exit(0);
}

static int
stuck_body(void)
{
	const char *id = "ann@example.org";
	struct openpgp_recipients found;
	struct error err = {0};
	pid_t self = getpid();
	pid_t sender;

	/* The deadline of the whole. */
	(void)alarm(30);
	expect(interrupt_install(&err) == 0);
	sender = fork();
	expect(sender >= 0);
	if (sender == 0)
		send_when_gpg_waits(self);
	expect(openpgp_find_recipients(&id, 1, &found, &err) == -1);
	expect(err.code == ERROR_TERMINATED);
	return 0;
}

static void
a_gpg_that_waits_can_be_left(void **state)
{
	struct keyring stuck;
	int status;

	(void)state;
	keyring_open(&stuck);
	(void)snprintf(blocking, sizeof(blocking), "%s/gpg.conf", stuck.home);
	assert_int_equal(unlink(blocking), 0);
	assert_int_equal(mkfifo(blocking, 0600), 0);
	assert_int_equal(pipe2(release_pipe, O_CLOEXEC), 0);

	status = in_child(stuck_body);
	/* When gpg goes on it finds no home to put anything in. */
	(void)unlink(blocking);
	keyring_close(&stuck);
	keyring_use(&ours);
	(void)close(release_pipe[0]);
	(void)close(release_pipe[1]);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_is_the_whole_address),
	    cmocka_unit_test(gpgs_own_forms_are_understood),
	    cmocka_unit_test(only_the_user_id_that_is_meant_counts),
	    cmocka_unit_test(the_fingerprint_of_a_part_is_no_consent),
	    cmocka_unit_test(unknown_keys_are_refused),
	    cmocka_unit_test(unusable_keys_are_refused),
	    cmocka_unit_test(another_addresss_key_is_no_reason),
	    cmocka_unit_test(an_expired_predecessor_does_not_count),
	    cmocka_unit_test(disabled_keys_are_refused),
	    cmocka_unit_test(a_revoked_user_id_is_gone),
	    cmocka_unit_test(two_keys_ask_for_a_choice),
	    cmocka_unit_test(a_choice_can_be_pasted),
	    cmocka_unit_test(an_uncertified_key_needs_its_fingerprint),
	    cmocka_unit_test(a_key_counts_once),
	    cmocka_unit_test(one_bad_id_refuses_all),
	    cmocka_unit_test(misuse_is_told),
	    cmocka_unit_test(the_end_of_a_key_is_known),
	    cmocka_unit_test(a_broken_keyring_is_no_list),
	    cmocka_unit_test(a_gpg_that_waits_can_be_left),
	};

	if (!keyring_has_gpg()) {
		print_message("skipped: gpg is not installed\n");
		return KEYRING_SKIPPED;
	}
	return cmocka_run_group_tests(tests, make_keyrings, close_keyrings);
}
