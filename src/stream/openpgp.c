#include "stream/openpgp.h"

#include <errno.h>
#include <gpgme.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/i18n.h"
#include "stream/openpgp_loop.h"
#include "stream/stream.h"

/* gpg may wait for a person who types a passphrase: pinentry gives up by itself
 * before this. Nothing else may keep it silent so long. */
#define PATIENCE_MS (10 * 60 * 1000)

/* Each fingerprint on a line of its own, and "--" before them. */
#define RECIPIENTS_BYTES                                                       \
	(4 + OPENPGP_RECIPIENTS_MAX * (OPENPGP_FINGERPRINT_BYTES + 1))

struct openpgp {
	struct stream base;
	bool encrypting;
	gpgme_ctx_t context;
	gpgme_data_t in;
	gpgme_data_t out;
	struct openpgp_loop loop;

	bool sealed;	   /* gpg's status: the message is whole */
	bool opened;	   /* gpg's status: a session key was found */
	bool intact;	   /* gpg's status: the integrity check passed */
	bool ended;	   /* gpg's status: the message is over */
	bool spoilt;	   /* gpg's status: and then something was wrong */
	struct error *err; /* of the read going on */

	size_t input_start; /* what gpg has not taken yet */
	size_t input_end;
	char input[STREAM_BUFFER_BYTES];

	/* The read going on: what comes straight out of gpg's pipe. */
	void *target;
	size_t target_size;
	size_t target_filled;

	char *ready; /* what gpgme brought and nobody has taken yet */
	size_t ready_start;
	size_t ready_end;
	size_t ready_size;
};

/* gpg's input goes straight into its pipe: what gpgme writes it also makes
 * ready for its log, byte by byte, each time it tries, and with no log, too
 * (gpgme 1.18, src/posix-io.c, _gpgme_io_write: a fifth of the time of a
 * backup). */
static bool
on_hungry(void *handle, int fd)
{
	struct openpgp *self = handle;
	ssize_t count;

	if (error_is_set(self->err))
		return false;
	if (self->input_start == self->input_end) {
		count = stream_read(self->base.upstream, self->input,
		    sizeof(self->input), self->err);
		if (count <= 0)
			return false;
		self->input_start = 0;
		self->input_end = (size_t)count;
	}
	count = write(fd, self->input + self->input_start,
	    self->input_end - self->input_start);
	/* A gpg that has closed its input says why by its status. */
	if (count < 0)
		return errno == EAGAIN || errno == EINTR;
	self->input_start += (size_t)count;
	return true;
}

/* gpgme asks here only when there is no more: see above. */
static ssize_t
on_input(void *handle, void *buf, size_t size)
{
	const struct openpgp *self = handle;

	(void)buf;
	if (size == 0 || !error_is_set(self->err))
		return 0;
	errno = EIO;
	return -1;
}

/* And gpg's output comes straight out of it: gpgme logs what it reads, too. */
static bool
on_full(void *handle, int fd)
{
	struct openpgp *self = handle;
	ssize_t got = read(fd, self->target, self->target_size);

	if (got > 0)
		self->target_filled = (size_t)got;
	return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* What gpgme has taken before it was known from where. */
static ssize_t
on_output(void *handle, const void *buf, size_t size)
{
	struct openpgp *self = handle;

	openpgp_loop_is_output(&self->loop);
	if (self->ready_start == self->ready_end)
		self->ready_start = self->ready_end = 0;
	if (self->ready_size - self->ready_end < size) {
		size_t wanted = self->ready_end + size;
		char *grown = realloc(self->ready, wanted);

		if (grown == NULL) {
			errno = ENOMEM;
			return -1;
		}
		self->ready = grown;
		self->ready_size = wanted;
	}
	memcpy(self->ready + self->ready_end, buf, size);
	self->ready_end += size;
	return (ssize_t)size;
}

static struct gpgme_data_cbs input_calls = {.read = on_input};
static struct gpgme_data_cbs output_calls = {.write = on_output};

/* Whether gpg complains of what is wrong with a message. */
static bool
is_complaint(const char *keyword)
{
	static const char *const complaints[] = {
	    "NODATA", "UNEXPECTED", "ERROR", "FAILURE"};

	for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]);
	     i++) {
		if (strcmp(keyword, complaints[i]) == 0)
			return true;
	}
	return false;
}

/* gpg's status lines (GnuPG, doc/DETAILS). */
static gpgme_error_t
on_status(void *handle, const char *keyword, const char *arguments)
{
	struct openpgp *self = handle;

	(void)arguments;
	if (strcmp(keyword, "END_ENCRYPTION") == 0 ||
	    strcmp(keyword, "DECRYPTION_OKAY") == 0)
		self->sealed = true;
	else if (strcmp(keyword, "DECRYPTION_INFO") == 0)
		self->opened = true;
	else if (strcmp(keyword, "GOODMDC") == 0)
		self->intact = true;
	else if (strcmp(keyword, "END_DECRYPTION") == 0)
		self->ended = true;
	else if (self->ended && is_complaint(keyword))
		self->spoilt = true;
	return 0;
}

/* Nobody had a key, or whoever had it would not give it. */
static bool
is_key_trouble(const struct openpgp *self)
{
	static const gpgme_err_code_t about_keys[] = {GPG_ERR_NO_SECKEY,
	    GPG_ERR_BAD_PASSPHRASE, GPG_ERR_CANCELED, GPG_ERR_FULLY_CANCELED,
	    GPG_ERR_NO_PIN_ENTRY, GPG_ERR_NO_AGENT, GPG_ERR_BAD_SECKEY};
	gpgme_decrypt_result_t result;

	/* Damage can look like a second message, to a passphrase. */
	if (self->opened)
		return false;
	for (size_t i = 0; i < sizeof(about_keys) / sizeof(about_keys[0]);
	     i++) {
		if (gpgme_err_code(self->loop.verdict) == about_keys[i])
			return true;
	}

	result = gpgme_op_decrypt_result(self->context);
	if (result == NULL || result->recipients == NULL)
		return false;
	for (gpgme_recipient_t to = result->recipients; to != NULL;
	     to = to->next) {
		if (to->status == 0)
			return false;
	}
	return true;
}

/* Whom the message is for, so that the right key can be looked for. */
static void
hint_recipients(const struct openpgp *self, struct error *err)
{
	gpgme_decrypt_result_t result = gpgme_op_decrypt_result(self->context);

	if (result == NULL)
		return;
	for (gpgme_recipient_t to = result->recipients; to != NULL;
	     to = to->next)
		error_hint(err, _("it was encrypted to key %s"), to->keyid);
	error_hint(err, "gpg --list-secret-keys");
}

static int
judge_encryption(const struct openpgp *self, struct error *err)
{
	gpgme_encrypt_result_t result;

	result = gpgme_op_encrypt_result(self->context);
	if (result != NULL && result->invalid_recipients != NULL &&
	    result->invalid_recipients->fpr != NULL)
		return error_set(err, ERROR_KEY, _("gpg refused the key '%s'"),
		    result->invalid_recipients->fpr);
	if (self->loop.verdict != 0)
		return error_set(err, ERROR_KEY, _("gpg cannot encrypt: %s"),
		    gpgme_strerror(self->loop.verdict));
	if (!self->sealed)
		return error_set(err, ERROR_FAILED,
		    _("gpg ended before the encryption was whole"));
	return 0;
}

static int
judge_decryption(const struct openpgp *self, struct error *err)
{
	if (self->loop.verdict == 0 && self->sealed && self->intact) {
		if (!self->spoilt)
			return 0;
		return error_set(err, ERROR_DAMAGED,
		    _("there is data after the end of the encrypted data"));
	}
	if (self->loop.verdict != 0 && is_key_trouble(self)) {
		error_set(err, ERROR_KEY, _("cannot decrypt: %s"),
		    gpgme_strerror(self->loop.verdict));
		hint_recipients(self, err);
		return -1;
	}
	if (self->loop.verdict != 0)
		return error_set(err, ERROR_DAMAGED,
		    _("the encrypted data is damaged or cut short: %s"),
		    gpgme_strerror(self->loop.verdict));
	return error_set(err, ERROR_DAMAGED,
	    _("the encrypted data carries no valid integrity check"));
}

/* Let gpg run until it has given something or is done. */
static int
pump(struct openpgp *self, struct error *err)
{
	self->err = err;
	while (self->loop.running && self->target_filled == 0 &&
	       self->ready_start == self->ready_end) {
		if (openpgp_loop_step(&self->loop, err) < 0)
			return -1;
		/* What the upstream said counts, not what gpg made of it. */
		if (error_is_set(err))
			return -1;
	}
	return 0;
}

static ssize_t
openpgp_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct openpgp *self = (struct openpgp *)s;
	size_t count;

	self->target = buf;
	self->target_size = size;
	self->target_filled = 0;
	if (pump(self, err) < 0)
		return -1;
	if (self->target_filled > 0)
		return (ssize_t)self->target_filled;

	count = self->ready_end - self->ready_start;
	if (count == 0)
		return self->encrypting ? judge_encryption(self, err)
					: judge_decryption(self, err);
	if (count > size)
		count = size;
	memcpy(buf, self->ready + self->ready_start, count);
	self->ready_start += count;
	return (ssize_t)count;
}

static void
openpgp_free(struct stream *s)
{
	struct openpgp *self = (struct openpgp *)s;
	struct error ignored = {0};

	/* Releasing a running context closes gpg's pipes; a read callback that
	 * still comes must not pull. */
	error_set(&ignored, ERROR_FAILED, "closing");
	self->err = &ignored;
	if (self->context != NULL)
		gpgme_release(self->context);
	if (self->in != NULL)
		gpgme_data_release(self->in);
	if (self->out != NULL)
		gpgme_data_release(self->out);
	free(self->ready);
	free(self);
}

static const struct stream_kind openpgp_kind = {
    .name = "openpgp",
    .read = openpgp_read,
    .free = openpgp_free,
};

/* A filter whose operation has not been started. */
static struct openpgp *
openpgp_new(struct stream *from, bool encrypting, struct error *err)
{
	struct openpgp *self = calloc(1, sizeof(*self));
	gpgme_error_t failure;

	if (self == NULL) {
		error_set_memory(err);
		stream_free(from);
		return NULL;
	}
	self->base.kind = &openpgp_kind;
	self->base.upstream = from;
	self->encrypting = encrypting;
	self->loop.patience_ms = PATIENCE_MS;
	/* Nobody waits for the first part of an archive. */
	self->loop.eager = encrypting;

	if (openpgp_init(err) < 0) {
		stream_free(&self->base);
		return NULL;
	}
	failure = gpgme_new(&self->context);
	if (failure == 0)
		failure =
		    gpgme_data_new_from_cbs(&self->in, &input_calls, self);
	if (failure == 0)
		failure =
		    gpgme_data_new_from_cbs(&self->out, &output_calls, self);
	if (failure == 0)
		failure = gpgme_set_ctx_flag(self->context, "full-status", "1");
	if (failure != 0) {
		error_set(err, ERROR_KEY, _("gpg cannot be used: %s"),
		    gpgme_strerror(failure));
		stream_free(&self->base);
		return NULL;
	}
	self->loop.on_hungry = on_hungry;
	self->loop.on_full = on_full;
	self->loop.handle = self;
	openpgp_loop_attach(&self->loop, self->context);
	gpgme_set_status_cb(self->context, on_status, self);
	gpgme_set_offline(self->context, 1);
	return self;
}

static struct stream *
started(struct openpgp *self, gpgme_error_t failure, struct error *err)
{
	if (failure != 0) {
		error_set(err, ERROR_KEY, _("gpg cannot be started: %s"),
		    gpgme_strerror(failure));
		return stream_refuse(&self->base);
	}
	return &self->base;
}

/* By fingerprint, which gpg looks up itself: gpgme_get_key() would wait for one
 * more gpg, without an end. */
static void
name_recipients(const struct openpgp_recipients *recipients,
    char ret_names[RECIPIENTS_BYTES])
{
	char *end = stpcpy(ret_names, "--\n");

	for (size_t i = 0; i < recipients->count; i++)
		end =
		    stpcpy(stpcpy(end, recipients->keys[i].fingerprint), "\n");
}

struct stream *
openpgp_encrypt_new(struct stream *from,
    const struct openpgp_recipients *recipients, struct error *err)
{
	char names[RECIPIENTS_BYTES];
	struct openpgp *self;

	if (from == NULL)
		return NULL;
	self = openpgp_new(from, true, err);
	if (self == NULL)
		return NULL;

	name_recipients(recipients, names);
	/* Trust was judged when the keys were looked up. */
	return started(self,
	    gpgme_op_encrypt_ext_start(self->context, NULL, names,
		GPGME_ENCRYPT_ALWAYS_TRUST | GPGME_ENCRYPT_NO_COMPRESS |
		    GPGME_ENCRYPT_NO_ENCRYPT_TO,
		self->in, self->out),
	    err);
}

struct stream *
openpgp_decrypt_new(struct stream *from, struct error *err)
{
	struct openpgp *self;

	if (from == NULL)
		return NULL;
	self = openpgp_new(from, false, err);
	if (self == NULL)
		return NULL;
	return started(self,
	    gpgme_op_decrypt_start(self->context, self->in, self->out), err);
}

bool
openpgp_detect(const unsigned char *head, size_t size)
{
	static const char armor[] = "-----BEGIN PGP MESSAGE-----";

	if (size >= sizeof(armor) - 1 &&
	    memcmp(head, armor, sizeof(armor) - 1) == 0)
		return true;
	if (size < 2 || (head[0] & 0x80) == 0)
		return false;
	/* RFC 4880, 4.2: a message to a key begins with packet tag 1, one to a
	 * passphrase with tag 3; old format has the tag in bits 5-2. */
	if ((head[0] & 0x40) != 0)
		return (head[0] & 0x3f) == 1 || (head[0] & 0x3f) == 3;
	return ((head[0] >> 2) & 0xf) == 1 || ((head[0] >> 2) & 0xf) == 3;
}
