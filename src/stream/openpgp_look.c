#include <gpgme.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/i18n.h"
#include "stream/openpgp.h"
#include "stream/openpgp_keys.h"
#include "stream/openpgp_loop.h"

/* As in openpgp_keys.c. */
#define PATIENCE_MS (2 * 60 * 1000)

struct look_up {
	const char *fingerprint;
	bool secret; /* the list of secret keys is read */
	struct openpgp_look look;
};

int
openpgp_version(char ret_version[OPENPGP_VERSION_BYTES], struct error *err)
{
	gpgme_engine_info_t engine = NULL;

	if (openpgp_init(err) < 0)
		return -1;
	if (gpgme_get_engine_info(&engine) != 0)
		engine = NULL;
	while (engine != NULL && engine->protocol != GPGME_PROTOCOL_OpenPGP)
		engine = engine->next;
	if (engine == NULL || engine->version == NULL)
		return error_set(
		    err, ERROR_KEY, _("gpg does not tell its version"));
	(void)snprintf(
	    ret_version, OPENPGP_VERSION_BYTES, "%s", engine->version);
	return 0;
}

/* The key's own end, or that of its last part that signs. */
static time_t
signing_end(const struct _gpgme_key *key)
{
	time_t primary = key->subkeys != NULL ? key->subkeys->expires : 0;
	time_t latest = 0;

	for (const struct _gpgme_subkey *sub = key->subkeys; sub != NULL;
	     sub = sub->next) {
		if (!sub->can_sign || sub->revoked || sub->expired)
			continue;
		if (sub->expires == 0)
			return primary;
		if (sub->expires > latest)
			latest = sub->expires;
	}
	return primary != 0 && (latest == 0 || primary < latest) ? primary
								 : latest;
}

/* On a card it can be carried away, and is not lost with this disk. */
static bool
decrypts_here(const struct _gpgme_key *key)
{
	for (const struct _gpgme_subkey *sub = key->subkeys; sub != NULL;
	     sub = sub->next) {
		if (sub->can_encrypt && sub->secret && !sub->is_cardkey)
			return true;
	}
	return false;
}

static void
take(void *handle, gpgme_key_t key)
{
	struct look_up *self = handle;
	struct openpgp_look *look = &self->look;

	if (key->fpr == NULL || strcasecmp(key->fpr, self->fingerprint) != 0)
		return;
	if (self->secret) {
		look->decrypts_here = decrypts_here(key);
		return;
	}
	look->found = true;
	look->unusable =
	    key->revoked || key->expired || key->disabled || key->invalid;
	look->expires = signing_end(key);
}

static int
list(struct look_up *self, bool secret, struct error *err)
{
	struct openpgp_loop loop = {
	    .patience_ms = PATIENCE_MS, .on_key = take, .handle = self};
	auto_context gpgme_ctx_t context = NULL;
	gpgme_error_t failure = gpgme_new(&context);

	self->secret = secret;
	if (failure == 0)
		failure =
		    gpgme_set_keylist_mode(context, GPGME_KEYLIST_MODE_LOCAL);
	if (failure == 0) {
		openpgp_loop_attach(&loop, context);
		failure =
		    gpgme_op_keylist_start(context, self->fingerprint, secret);
	}
	while (failure == 0 && loop.running) {
		if (openpgp_loop_step(&loop, err) < 0)
			return -1;
	}
	if (failure == 0)
		failure = loop.verdict;
	if (failure == 0)
		return 0;
	return error_set(err, ERROR_KEY, _("cannot list the keys for '%s': %s"),
	    self->fingerprint, gpgme_strerror(failure));
}

int
openpgp_look_up(
    const char *fingerprint, struct openpgp_look *ret_look, struct error *err)
{
	struct look_up self = {.fingerprint = fingerprint};

	if (openpgp_init(err) < 0 || list(&self, false, err) < 0 ||
	    (self.look.found && list(&self, true, err) < 0))
		return -1;
	*ret_look = self.look;
	return 0;
}

int
openpgp_find_signing_key(
    const char *id, struct openpgp_key *ret_key, struct error *err)
{
	struct openpgp_key found = {0};
	gpgme_key_t key = NULL;

	if (openpgp_find_secret_key(id, &key, err) < 0)
		return -1;
	found.expires = signing_end(key);
	(void)snprintf(
	    found.fingerprint, sizeof(found.fingerprint), "%s", key->fpr);
	gpgme_key_unref(key);
	*ret_key = found;
	return 0;
}
