#include "stream/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "stream/stream.h"

struct digest_stream {
	struct stream base;
	EVP_MD_CTX *context;
	struct digest *result;
	uint64_t size_bytes;
};

/* In lower-case hexadecimal. */
static void
spell(const unsigned char *hash, char text[DIGEST_TEXT_BYTES])
{
	for (size_t i = 0; i < 32; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", hash[i]);
}

static int
finish(struct digest_stream *self, struct error *err)
{
	unsigned char hash[EVP_MAX_MD_SIZE] = {0};

	if (EVP_DigestFinal_ex(self->context, hash, NULL) != 1)
		return error_set(err, ERROR_FAILED, _("SHA-256 failed"));

	spell(hash, self->result->sha256);
	self->result->size_bytes = self->size_bytes;
	self->result->complete = true;
	return 0;
}

static ssize_t
digest_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct digest_stream *self = (struct digest_stream *)s;
	ssize_t got = stream_read(s->upstream, buf, size, err);

	if (got < 0)
		return -1;
	if (got == 0)
		return finish(self, err);
	if (EVP_DigestUpdate(self->context, buf, (size_t)got) != 1)
		return error_set(err, ERROR_FAILED, _("SHA-256 failed"));
	self->size_bytes += (uint64_t)got;
	return got;
}

static void
digest_free(struct stream *s)
{
	struct digest_stream *self = (struct digest_stream *)s;

	EVP_MD_CTX_free(self->context);
	free(self);
}

static const struct stream_kind digest_kind = {
    .name = "digest",
    .read = digest_read,
    .free = digest_free,
};

struct stream *
digest_new(struct stream *from, struct digest *ret_digest, struct error *err)
{
	struct digest_stream *self;

	*ret_digest = (struct digest){0};
	if (from == NULL)
		return NULL;

	self = calloc(1, sizeof(*self));
	if (self == NULL) {
		error_set_memory(err);
		return stream_refuse(from);
	}
	self->base.kind = &digest_kind;
	self->base.upstream = from;
	self->result = ret_digest;
	self->context = EVP_MD_CTX_new();
	if (self->context == NULL ||
	    EVP_DigestInit_ex(self->context, EVP_sha256(), NULL) != 1) {
		error_set(err, ERROR_FAILED, _("SHA-256 failed"));
		return stream_refuse(&self->base);
	}
	return &self->base;
}

int
digest_bytes(const void *bytes, size_t size, char ret_sha256[DIGEST_TEXT_BYTES],
    struct error *err)
{
	unsigned char hash[EVP_MAX_MD_SIZE] = {0};

	if (EVP_Digest(bytes, size, hash, NULL, EVP_sha256(), NULL) != 1)
		return error_set(err, ERROR_FAILED, _("SHA-256 failed"));
	spell(hash, ret_sha256);
	return 0;
}

/* To its end. */
static int
drain(struct stream *from, struct error *err)
{
	auto_free char *buffer = malloc(STREAM_BUFFER_BYTES);
	ssize_t got;

	if (buffer == NULL)
		return error_set_memory(err);
	do
		got = stream_read(from, buffer, STREAM_BUFFER_BYTES, err);
	while (got > 0);
	return got < 0 ? -1 : 0;
}

int
digest_of(struct stream *from, struct digest *ret_digest, struct error *err)
{
	auto_stream struct stream *whole = digest_new(from, ret_digest, err);

	return whole != NULL ? drain(whole, err) : -1;
}

int
digest_check(struct stream *written, const struct digest *sent,
    const char *name, struct error *err)
{
	struct digest found;

	if (digest_of(written, &found, err) < 0)
		return -1;
	if (sent->complete && found.size_bytes == sent->size_bytes &&
	    strcmp(found.sha256, sent->sha256) == 0)
		return 0;
	return error_set(err, ERROR_DAMAGED,
	    _("'%s': what was read back is not what was written"), name);
}
