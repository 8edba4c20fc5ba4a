#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "keyring.h"
#include "stream/openpgp.h"
#include "stream/openpgp_loop.h"

static struct keyring ours;
static struct keyring theirs;
static struct openpgp_recipients to_ann;
static struct openpgp_recipients to_both;
static char ann[KEYRING_FINGERPRINT_BYTES];
static char bob[KEYRING_FINGERPRINT_BYTES];

/* A short message to Ann, and what is in it. */
static struct bytes small_plain;
static struct bytes small_message;

/* The packet with the session key comes first in it: old format, one octet of
 * length (RFC 4880, 4.2.1). */
static size_t key_packet_size;

static struct stream *
encrypt(const struct bytes *plain, size_t chunk, enum source_end end,
    struct error *err)
{
	return openpgp_encrypt_new(
	    source_new(plain->data, plain->size, chunk, end), &to_ann, err);
}

static struct stream *
decrypt(const struct bytes *message, size_t chunk, enum source_end end,
    struct error *err)
{
	return openpgp_decrypt_new(
	    source_new(message->data, message->size, chunk, end), err);
}

static int
prepare(void **state)
{
	const char *ids[2];
	struct error err = {0};

	(void)state;
	keyring_open(&theirs);
	keyring_generate_plain("Bob <bob@example.org>", bob);
	keyring_open(&ours);
	keyring_generate_plain("Ann <ann@example.org>", ann);
	keyring_import(&ours, &theirs, bob);

	assert_int_equal(openpgp_init(&err), 0);
	ids[0] = ann;
	ids[1] = bob;
	assert_int_equal(openpgp_find_recipients(ids, 1, &to_ann, &err), 0);
	assert_int_equal(openpgp_find_recipients(ids, 2, &to_both, &err), 0);

	bytes_add(&small_plain, "a short secret\n", 15);
	assert_int_equal(drain(encrypt(&small_plain, 0, SOURCE_ENDS, &err),
			     1000, &small_message, &err),
	    0);
	assert_int_equal(small_message.data[0] & 0xc3, 0x80);
	key_packet_size = 2 + (size_t)small_message.data[1];
	return 0;
}

static int
tidy_up(void **state)
{
	(void)state;
	free(small_plain.data);
	free(small_message.data);
	keyring_close(&ours);
	keyring_close(&theirs);
	return 0;
}

/* Our children that run gpg or are about to, or have run it and were not waited
 * for: gpgme starts it from a child that ends, and this process has asked for
 * such orphans. Only the agents of the keyrings are others. */
static size_t
gpg_children(bool running, pid_t *ret_children, size_t room)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(proc);
	while ((entry = readdir(proc)) != NULL) {
		char path[300];
		char name[17] = "";
		int id = 0;
		int parent = 0;
		char run_state = '?';
		FILE *file;

		(void)snprintf(
		    path, sizeof(path), "/proc/%s/stat", entry->d_name);
		file = fopen(path, "re");
		if (file == NULL)
			continue;
		if (fscanf(file, "%d (%16[^)]) %c %d", &id, name, &run_state,
			&parent) == 4 &&
		    parent == getpid() && strcmp(name, "gpg-agent") != 0 &&
		    (run_state != 'Z' || !running) && count < room)
			ret_children[count++] = (pid_t)id;
		(void)fclose(file);
	}
	(void)closedir(proc);
	return count;
}

/* Blocks until no gpg is left: one that stays makes the test time out. */
static void
wait_for_gpg_to_end(void)
{
	pid_t children[2000];
	size_t count = gpg_children(false, children, COUNT(children));

	for (size_t i = 0; i < count; i++)
		assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
}

static void
what_is_encrypted_comes_back(void **state)
{
	static const size_t sizes[] = {
	    0, 1, 4095, STREAM_BUFFER_BYTES, 1 << 20, (size_t)20 << 20};
	static const size_t readers[] = {100, 65536, 1000000};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		auto_bytes struct bytes plain = bytes_random(sizes[i], i);

		for (size_t r = 0; r < COUNT(readers); r++) {
			auto_bytes struct bytes message = {0};
			auto_bytes struct bytes got = {0};
			struct error err = {0};

			if (sizes[i] / readers[r] > 100000)
				continue;
			assert_int_equal(
			    drain(encrypt(&plain, 0, SOURCE_ENDS, &err),
				readers[r], &message, &err),
			    0);
			assert_true(message.size > plain.size);
			assert_int_equal(
			    drain(decrypt(&message, 0, SOURCE_ENDS, &err),
				readers[r], &got, &err),
			    0);
			assert_same_bytes(&got, &plain);
		}
	}
	wait_for_gpg_to_end();
}

/* As when an archive gets other recipients: one gpg pulls from another. */
static void
a_chain_of_both_works(void **state)
{
	static const size_t sizes[] = {0, 100, 3000000};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		auto_bytes struct bytes plain = bytes_random(sizes[i], 4);
		auto_bytes struct bytes got = {0};
		struct error err = {0};
		struct stream *s = encrypt(&plain, 0, SOURCE_ENDS, &err);

		s = openpgp_decrypt_new(s, &err);
		s = openpgp_encrypt_new(s, &to_both, &err);
		s = openpgp_decrypt_new(s, &err);
		assert_int_equal(drain(s, 10000, &got, &err), 0);
		assert_same_bytes(&got, &plain);
	}
}

static void
slow_sources_work_both_ways(void **state)
{
	auto_bytes struct bytes plain = bytes_random(5000, 3);

	(void)state;
	for (size_t chunk = 1; chunk < 6000; chunk += 1999) {
		auto_bytes struct bytes message = {0};
		auto_bytes struct bytes got = {0};
		struct error err = {0};

		assert_int_equal(
		    drain(encrypt(&plain, chunk, SOURCE_ENDS, &err), 1,
			&message, &err),
		    0);
		assert_int_equal(
		    drain(decrypt(&message, chunk, SOURCE_ENDS, &err), 1, &got,
			&err),
		    0);
		assert_same_bytes(&got, &plain);
	}
}

/* The tar is compressed already: gpg must not try. */
static void
nothing_is_compressed(void **state)
{
	auto_bytes struct bytes plain = bytes_zero(1 << 20);
	auto_bytes struct bytes message = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(
	    drain(encrypt(&plain, 0, SOURCE_ENDS, &err), 65536, &message, &err),
	    0);
	assert_true(message.size > plain.size);
}

static void
gpg_and_we_read_each_other(void **state)
{
	auto_bytes struct bytes plain = bytes_random(100000, 5);
	auto_bytes struct bytes message = {0};
	auto_bytes struct bytes by_gpg = {0};
	static const char *const forms[] = {"--no-armor", "--armor"};
	struct error err = {0};

	(void)state;
	assert_int_equal(
	    drain(encrypt(&plain, 0, SOURCE_ENDS, &err), 65536, &message, &err),
	    0);
	assert_true(openpgp_detect(message.data, message.size));
	assert_int_equal(keyring_gpg(&message, &by_gpg, "--decrypt", NULL), 0);
	assert_same_bytes(&by_gpg, &plain);

	for (size_t i = 0; i < COUNT(forms); i++) {
		auto_bytes struct bytes theirs_message = {0};
		auto_bytes struct bytes got = {0};

		assert_int_equal(keyring_gpg(&plain, &theirs_message, forms[i],
				     "--encrypt", "--recipient", ann, NULL),
		    0);
		assert_true(
		    openpgp_detect(theirs_message.data, theirs_message.size));
		assert_int_equal(
		    drain(decrypt(&theirs_message, 0, SOURCE_ENDS, &err), 65536,
			&got, &err),
		    0);
		assert_same_bytes(&got, &plain);
	}
}

static void
each_recipient_can_read(void **state)
{
	const struct keyring *keyrings[] = {&ours, &theirs};
	auto_bytes struct bytes message = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(
	    drain(openpgp_encrypt_new(source_new(small_plain.data,
					  small_plain.size, 0, SOURCE_ENDS),
		      &to_both, &err),
		1000, &message, &err),
	    0);
	for (size_t i = 0; i < COUNT(keyrings); i++) {
		auto_bytes struct bytes got = {0};

		keyring_use(keyrings[i]);
		assert_int_equal(drain(decrypt(&message, 0, SOURCE_ENDS, &err),
				     1000, &got, &err),
		    0);
		assert_same_bytes(&got, &small_plain);
	}
	keyring_use(&ours);
}

/* Damage inside the key packet may look like somebody else's key. */
static void
assert_damaged(const struct bytes *message, size_t where)
{
	auto_bytes struct bytes got = {0};
	struct error err = {0};

	if (drain(decrypt(message, 0, SOURCE_ENDS, &err), 1000, &got, &err) ==
	    0)
		fail_msg("byte %zu", where);
	if (err.code == ERROR_KEY && where < key_packet_size)
		return;
	assert_error(&err, ERROR_DAMAGED);
}

static void
every_truncation_is_damage(void **state)
{
	(void)state;
	for (size_t size = 0; size < small_message.size; size++) {
		struct bytes cut = {small_message.data, size};

		assert_damaged(&cut, size);
	}
}

static void
flipped_bits_are_damage(void **state)
{
	auto_bytes struct bytes noise = bytes_random(400, 11);
	auto_bytes struct bytes message = {0};

	(void)state;
	bytes_add(&message, small_message.data, small_message.size);
	for (size_t i = 0; i < 200; i++) {
		size_t at =
		    ((size_t)noise.data[2 * i] << 8 | noise.data[2 * i + 1]) %
		    (message.size * 8);
		unsigned char mask = (unsigned char)(1 << at % 8);

		message.data[at / 8] ^= mask;
		assert_damaged(&message, at / 8);
		message.data[at / 8] ^= mask;
	}
}

/* gpg says a message was good, and only then what it made of the rest. */
static void
what_follows_the_message_is_refused(void **state)
{
	/* A literal packet of "hello", not encrypted (RFC 4880, 5.9). */
	static const char literal[] = "\xcb\x0b"
				      "b\0\0\0\0\0hello";
	auto_bytes struct bytes key = {0};
	const struct bytes tails[] = {
	    small_message,
	    {(unsigned char *)(uintptr_t) "more", 4},
	    {(unsigned char *)(uintptr_t) "\0", 1},
	    {(unsigned char *)(uintptr_t) "\xd2\x01\x01", 3},
	    {(unsigned char *)(uintptr_t)literal, sizeof(literal) - 1},
	    small_plain,
	};

	(void)state;
	assert_int_equal(keyring_gpg(NULL, &key, "--export", ann, NULL), 0);
	for (size_t i = 0; i <= COUNT(tails); i++) {
		const struct bytes *tail = i < COUNT(tails) ? &tails[i] : &key;
		auto_bytes struct bytes message = {0};

		bytes_add(&message, small_message.data, small_message.size);
		bytes_add(&message, tail->data, tail->size);
		assert_damaged(&message, message.size);
	}
}

/* RFC 2440 knew no integrity check. gpg refuses such a message, unless its
 * configuration says otherwise; we refuse it always. */
static void
what_has_no_integrity_check_is_refused(void **state)
{
	static const char *const lines[] = {"", "ignore-mdc-error\n"};
	auto_bytes struct bytes message = {0};
	auto_bytes struct bytes by_gpg = {0};

	(void)state;
	assert_int_equal(keyring_gpg(&small_plain, &message, "--rfc2440",
			     "--encrypt", "--recipient", ann, NULL),
	    0);
	for (size_t i = 0; i < COUNT(lines); i++) {
		keyring_configure(&ours, lines[i]);
		assert_damaged(&message, message.size);
	}
	/* Else this would prove nothing. */
	assert_int_equal(keyring_gpg(&message, &by_gpg, "--decrypt", NULL), 0);
	assert_same_bytes(&by_gpg, &small_plain);
	keyring_configure(&ours, "");
}

static void
damage_counts_even_where_gpg_may_ignore_it(void **state)
{
	auto_bytes struct bytes message = {0};

	(void)state;
	bytes_add(&message, small_message.data, small_message.size);
	keyring_configure(&ours, "ignore-mdc-error\n");
	for (size_t at = message.size - 40; at < message.size; at++) {
		message.data[at] ^= 1;
		assert_damaged(&message, at);
		message.data[at] ^= 1;
	}
	keyring_configure(&ours, "");
}

static void
what_is_no_message_is_refused(void **state)
{
	auto_bytes struct bytes noise = bytes_random(3000, 1);
	auto_bytes struct bytes key = {0};
	auto_bytes struct bytes signature = {0};
	const struct bytes *cases[] = {&small_plain, &noise, &key, &signature};

	(void)state;
	assert_int_equal(keyring_gpg(NULL, &key, "--export", ann, NULL), 0);
	assert_int_equal(
	    keyring_gpg(&small_plain, &signature, "--sign", NULL), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		auto_bytes struct bytes got = {0};
		struct error err = {0};

		assert_int_equal(drain(decrypt(cases[i], 0, SOURCE_ENDS, &err),
				     1000, &got, &err),
		    -1);
		assert_error(&err, ERROR_DAMAGED);
	}
}

static void
without_the_key_it_is_a_matter_of_keys(void **state)
{
	auto_bytes struct bytes got = {0};
	struct error err = {0};
	struct keyring empty;

	(void)state;
	keyring_open(&empty);
	assert_int_equal(drain(decrypt(&small_message, 0, SOURCE_ENDS, &err),
			     1000, &got, &err),
	    -1);
	assert_error(&err, ERROR_KEY);
	assert_string_not_equal(err.hint, "");
	assert_int_equal(got.size, 0);
	keyring_close(&empty);
	keyring_use(&ours);
}

static void
a_passphrase_that_nobody_gives(void **state)
{
	const struct keyring_key locked = {"Locked <locked@example.org>",
	    "future-default", "default", "never", NULL, "secret"};
	auto_bytes struct bytes to_locked = {0};
	auto_bytes struct bytes by_phrase = {0};
	const struct bytes *cases[] = {&to_locked, &by_phrase};
	char fingerprint[KEYRING_FINGERPRINT_BYTES];
	struct keyring keyring;

	(void)state;
	keyring_open(&keyring);
	keyring_generate(&locked, fingerprint);
	assert_int_equal(keyring_gpg(&small_plain, &to_locked, "--encrypt",
			     "--recipient", fingerprint, NULL),
	    0);
	assert_int_equal(
	    keyring_gpg(&small_plain, &by_phrase, "--pinentry-mode", "loopback",
		"--passphrase", "x", "--symmetric", NULL),
	    0);
	/* The agent remembers nothing. */
	assert_int_equal(keyring_reload(&keyring), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		auto_bytes struct bytes got = {0};
		struct error err = {0};

		assert_true(openpgp_detect(cases[i]->data, cases[i]->size));
		assert_int_equal(drain(decrypt(cases[i], 0, SOURCE_ENDS, &err),
				     1000, &got, &err),
		    -1);
		assert_error(&err, ERROR_KEY);
		assert_int_equal(got.size, 0);
	}
	keyring_close(&keyring);
	keyring_use(&ours);
}

/* gpg would seal what it has got: the filter must not hand that on as whole. */
static void
the_sources_error_passes_when_encrypting(void **state)
{
	static const size_t sizes[] = {0, 1, 1000, 300000, 3000000};
	auto_bytes struct bytes plain = bytes_random(3000000, 2);

	(void)state;
	for (size_t i = 0; i < COUNT(sizes) * 2; i++) {
		struct bytes part = {plain.data, sizes[i / 2]};
		auto_bytes struct bytes got = {0};
		struct error err = {0};

		assert_int_equal(
		    drain(encrypt(&part, i % 2 ? 4096 : 0, SOURCE_FAILS, &err),
			100000, &got, &err),
		    -1);
		assert_error(&err, ERROR_UNREACHABLE);
		assert_string_equal(err.text, SOURCE_ERROR);
	}
	wait_for_gpg_to_end();
}

static void
the_sources_error_passes_when_decrypting(void **state)
{
	auto_bytes struct bytes plain = bytes_random(3000000, 2);
	auto_bytes struct bytes message = {0};
	struct error none = {0};

	(void)state;
	assert_int_equal(drain(encrypt(&plain, 0, SOURCE_ENDS, &none), 65536,
			     &message, &none),
	    0);
	for (size_t size = 0; size <= message.size; size += message.size / 4) {
		struct bytes part = {message.data, size};
		auto_bytes struct bytes got = {0};
		struct error err = {0};

		assert_int_equal(drain(decrypt(&part, 0, SOURCE_FAILS, &err),
				     100000, &got, &err),
		    -1);
		assert_error(&err, ERROR_UNREACHABLE);
		assert_string_equal(err.text, SOURCE_ERROR);
	}
	wait_for_gpg_to_end();
}

/* A source that kills gpg once so many bytes were read from it. */
struct killer {
	struct stream base;
	struct bytes data;
	size_t given;
	size_t kill_at;
	bool killed;
};

static ssize_t
killer_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct killer *self = (struct killer *)s;

	(void)err;
	if (self->given >= self->kill_at && !self->killed) {
		pid_t children[2];

		/* An assertion here would leave the filter for good, and its
		 * gpg to whoever waits next. */
		self->killed = gpg_children(true, children, 2) == 1 &&
			       kill(children[0], SIGKILL) == 0 &&
			       waitpid(children[0], NULL, 0) == children[0];
	}
	if (size > 65536)
		size = 65536;
	if (size > self->data.size - self->given)
		size = self->data.size - self->given;
	memcpy(buf, self->data.data + self->given, size);
	self->given += size;
	return (ssize_t)size;
}

static void
killer_free(struct stream *s)
{
	(void)s;
}

static const struct stream_kind killer_kind = {
    .name = "killer",
    .read = killer_read,
    .free = killer_free,
};

static void
a_killed_gpg_is_no_end(void **state)
{
	auto_bytes struct bytes plain = bytes_random(3000000, 2);
	auto_bytes struct bytes message = {0};
	struct error none = {0};

	(void)state;
	assert_int_equal(drain(encrypt(&plain, 0, SOURCE_ENDS, &none), 65536,
			     &message, &none),
	    0);
	wait_for_gpg_to_end();
	/* At once, in the middle, and when all but the end has been read; then
	 * gpg may have proven the whole message that it decrypts. */
	for (size_t i = 0; i < 9; i++) {
		struct bytes data = i % 2 ? message : plain;
		struct killer killer = {
		    .base.kind = &killer_kind,
		    .data = data,
		    .kill_at = data.size * (i / 2) / 4,
		};
		auto_bytes struct bytes got = {0};
		struct error err = {0};
		struct stream *s =
		    i % 2 ? openpgp_decrypt_new(&killer.base, &err)
			  : openpgp_encrypt_new(&killer.base, &to_ann, &err);

		if (drain(s, 10000, &got, &err) == 0)
			fail_msg("case %zu", i);
		assert_true(error_is_set(&err));
		assert_true(killer.killed);
	}
}

static void
a_filter_may_be_left_in_the_middle(void **state)
{
	auto_bytes struct bytes plain = bytes_random(3000000, 2);
	auto_bytes struct bytes message = {0};
	struct error err = {0};
	char buf[1000];

	(void)state;
	assert_int_equal(
	    drain(encrypt(&plain, 0, SOURCE_ENDS, &err), 65536, &message, &err),
	    0);
	for (int i = 0; i < 2; i++) {
		struct stream *unread = encrypt(&plain, 0, SOURCE_ENDS, &err);
		struct stream *encrypting =
		    encrypt(&plain, 0, SOURCE_ENDS, &err);
		struct stream *decrypting =
		    decrypt(&message, 0, SOURCE_ENDS, &err);

		assert_true(stream_read(encrypting, buf, 1000, &err) > 0);
		assert_true(stream_read(decrypting, buf, 1000, &err) > 0);
		stream_free(unread);
		stream_free(encrypting);
		stream_free(decrypting);
	}
	assert_no_error(&err);
	wait_for_gpg_to_end();
}

static int
interrupted_body(void)
{
	struct error err = {0};
	struct stream *s;
	char buf[1000];

	expect(interrupt_install(&err) == 0);
	s = encrypt(&small_plain, 0, SOURCE_ENDS, &err);
	expect(s != NULL);
	expect(raise(SIGINT) == 0);
	expect(stream_read(s, buf, sizeof(buf), &err) == -1);
	expect(err.code == ERROR_INTERRUPTED);
	stream_free(s);
	return 0;
}

static void
an_interruption_comes_in(void **state)
{
	(void)state;
	assert_int_equal(in_child(interrupted_body), 0);
	wait_for_gpg_to_end();
}

static void
a_key_that_is_gone_is_refused(void **state)
{
	struct openpgp_recipients nobody = to_both;
	auto_bytes struct bytes got = {0};
	struct error err = {0};

	(void)state;
	(void)snprintf(nobody.keys[1].fingerprint,
	    sizeof(nobody.keys[1].fingerprint), "%s",
	    "0123456789ABCDEF0123456789ABCDEF01234567");
	assert_int_equal(
	    drain(openpgp_encrypt_new(
		      source_new("x", 1, 0, SOURCE_ENDS), &nobody, &err),
		1000, &got, &err),
	    -1);
	assert_error(&err, ERROR_KEY);
	assert_non_null(strstr(err.text, nobody.keys[1].fingerprint));
	assert_int_equal(got.size, 0);
}

static gpgme_error_t
never_called(void *data, int fd)
{
	(void)data;
	(void)fd;
	abort();
}

static void
a_silent_gpg_is_not_waited_for_without_end(void **state)
{
	struct openpgp_loop loop = {.patience_ms = 1, .running = true};
	struct error err = {0};
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	loop.watches[0].fd = fds[0];
	loop.watches[0].events = POLLIN;
	loop.watches[0].call = never_called;
	assert_int_equal(openpgp_loop_step(&loop, &err), -1);
	assert_error(&err, ERROR_KEY);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static bool
detect(const char *head, size_t size)
{
	return openpgp_detect((const unsigned char *)head, size);
}

static void
messages_are_recognised(void **state)
{
	static const char armor[] = "-----BEGIN PGP MESSAGE-----";

	(void)state;
	/* To a key, to a passphrase; old format, new format. */
	assert_true(detect("\x84\x5e\x03", 3));
	assert_true(detect("\x85\x01\x0c", 3));
	assert_true(detect("\x8c\x0d\x04", 3));
	assert_true(detect("\xc1\x5e\x03", 3));
	assert_true(detect("\xc3\x0d\x04", 3));
	assert_true(detect(armor, sizeof(armor) - 1));
	assert_false(detect(armor, sizeof(armor) - 2));

	assert_false(detect("", 0));
	assert_false(detect("\x84", 1));
	/* A key, a signature, a literal, tar, gzip, zstd, xz. */
	assert_false(detect("\x99\x01\x0d", 3));
	assert_false(detect("\xc6\x33\x04", 3));
	assert_false(detect("\x90\x0d\x03", 3));
	assert_false(detect("\xcb\x0d", 2));
	assert_false(detect("backup/index.yaml", 17));
	assert_false(detect("\x1f\x8b\x08", 3));
	assert_false(detect("\x28\xb5\x2f\xfd", 4));
	assert_false(detect("\xfd"
			    "7zXZ",
	    5));
	assert_false(detect("-----BEGIN PGP PUBLIC KEY BLOCK-----", 36));
}

static void
nothing_passes_through(void **state)
{
	struct error err = {0};

	(void)state;
	assert_null(openpgp_encrypt_new(NULL, &to_ann, &err));
	assert_null(openpgp_decrypt_new(NULL, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_encrypted_comes_back),
	    cmocka_unit_test(a_chain_of_both_works),
	    cmocka_unit_test(slow_sources_work_both_ways),
	    cmocka_unit_test(nothing_is_compressed),
	    cmocka_unit_test(gpg_and_we_read_each_other),
	    cmocka_unit_test(each_recipient_can_read),
	    cmocka_unit_test(every_truncation_is_damage),
	    cmocka_unit_test(flipped_bits_are_damage),
	    cmocka_unit_test(what_follows_the_message_is_refused),
	    cmocka_unit_test(what_has_no_integrity_check_is_refused),
	    cmocka_unit_test(damage_counts_even_where_gpg_may_ignore_it),
	    cmocka_unit_test(what_is_no_message_is_refused),
	    cmocka_unit_test(without_the_key_it_is_a_matter_of_keys),
	    cmocka_unit_test(a_passphrase_that_nobody_gives),
	    cmocka_unit_test(the_sources_error_passes_when_encrypting),
	    cmocka_unit_test(the_sources_error_passes_when_decrypting),
	    cmocka_unit_test(a_killed_gpg_is_no_end),
	    cmocka_unit_test(a_filter_may_be_left_in_the_middle),
	    cmocka_unit_test(an_interruption_comes_in),
	    cmocka_unit_test(a_key_that_is_gone_is_refused),
	    cmocka_unit_test(a_silent_gpg_is_not_waited_for_without_end),
	    cmocka_unit_test(messages_are_recognised),
	    cmocka_unit_test(nothing_passes_through),
	};

	if (!keyring_has_gpg()) {
		print_message("skipped: gpg is not installed\n");
		return KEYRING_SKIPPED;
	}
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return 1;
	return cmocka_run_group_tests(tests, prepare, tidy_up);
}
