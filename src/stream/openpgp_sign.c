#include "stream/openpgp_sign.h"

#include <gpgme.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "stream/openpgp_keys.h"
#include "stream/openpgp_loop.h"

/* gpg may wait for a person who types a passphrase: pinentry gives up by itself
 * before this. */
#define PATIENCE_MS (10 * 60 * 1000)

struct openpgp_signer {
	gpgme_key_t key;
};

void
openpgp_signer_free(struct openpgp_signer *signer)
{
	if (signer == NULL)
		return;
	if (signer->key != NULL)
		gpgme_key_unref(signer->key);
	free(signer);
}

static void
auto_signer_cleanup(struct openpgp_signer **signer)
{
	openpgp_signer_free(*signer);
}
#define auto_signer __attribute__((cleanup(auto_signer_cleanup)))

const char *
openpgp_signer_fingerprint(const struct openpgp_signer *signer)
{
	return signer->key->fpr;
}

static int
refuse(const struct openpgp_signer *signer, gpgme_error_t failure,
    struct error *err)
{
	error_set(err, ERROR_KEY, _("the key %s cannot sign: %s"),
	    signer->key->fpr, gpgme_strerror(failure));
	return error_hint_command(
	    err, "gpg", "--list-secret-keys", signer->key->fpr, NULL);
}

/* Whether it is one of the key's own parts that has signed. */
static bool
is_by(const struct openpgp_signer *signer, const char *fingerprint)
{
	for (const struct _gpgme_subkey *sub = signer->key->subkeys;
	     sub != NULL; sub = sub->next) {
		if (sub->fpr != NULL && fingerprint != NULL &&
		    strcasecmp(sub->fpr, fingerprint) == 0)
			return true;
	}
	return false;
}

/* The user's gpg.conf may have further keys sign. */
static int
check_signed(
    const struct openpgp_signer *signer, gpgme_ctx_t context, struct error *err)
{
	gpgme_sign_result_t result = gpgme_op_sign_result(context);

	if (result != NULL && result->signatures != NULL &&
	    result->signatures->next == NULL &&
	    is_by(signer, result->signatures->fpr))
		return 0;
	error_set(err, ERROR_KEY,
	    _("gpg has not signed with the key %s, or not with it alone"),
	    signer->key->fpr);
	return error_hint(err,
	    _("an option 'local-user' in gpg.conf has other keys sign, too"));
}

static int
take_signature(gpgme_data_t *data, char **ret_signature, struct error *err)
{
	size_t size = 0;
	char *bytes = gpgme_data_release_and_get_mem(steal(*data), &size);

	if (bytes == NULL)
		return error_set_memory(err);
	*ret_signature = text_copy(bytes, size, err);
	gpgme_free(bytes);
	return *ret_signature != NULL ? 0 : -1;
}

int
openpgp_sign(const struct openpgp_signer *signer, const char *text, size_t size,
    char **ret_signature, struct error *err)
{
	struct openpgp_loop loop = {.patience_ms = PATIENCE_MS};
	auto_data gpgme_data_t in = NULL;
	auto_data gpgme_data_t out = NULL;
	auto_context gpgme_ctx_t context = NULL;
	gpgme_error_t failure = gpgme_new(&context);

	if (failure == 0)
		failure = gpgme_data_new_from_mem(&in, text, size, 0);
	if (failure == 0)
		failure = gpgme_data_new(&out);
	if (failure == 0)
		failure = gpgme_signers_add(context, signer->key);
	if (failure == 0) {
		openpgp_loop_attach(&loop, context);
		gpgme_set_armor(context, 1);
		gpgme_set_offline(context, 1);
		failure = gpgme_op_sign_start(
		    context, in, out, GPGME_SIG_MODE_DETACH);
	}
	while (failure == 0 && loop.running) {
		if (openpgp_loop_step(&loop, err) < 0)
			return -1;
	}
	if (failure == 0)
		failure = loop.verdict;
	if (failure != 0)
		return refuse(signer, failure, err);
	if (check_signed(signer, context, err) < 0)
		return -1;
	return take_signature(&out, ret_signature, err);
}

struct openpgp_signer *
openpgp_signer_open(const char *id, struct error *err)
{
	static const char sample[] = "can this key sign?\n";
	auto_signer struct openpgp_signer *signer = calloc(1, sizeof(*signer));
	auto_free char *signature = NULL;

	if (signer == NULL) {
		error_set_memory(err);
		return NULL;
	}
	if (openpgp_find_secret_key(id, &signer->key, err) < 0 ||
	    openpgp_sign(signer, sample, sizeof(sample) - 1, &signature, err) <
		0)
		return NULL;
	return steal(signer);
}
