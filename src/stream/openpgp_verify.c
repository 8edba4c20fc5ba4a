#include <gpgme.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "stream/openpgp_keys.h"
#include "stream/openpgp_loop.h"
#include "stream/openpgp_sign.h"

/* Nobody is asked anything: gpg only looks at its keyring. */
#define PATIENCE_MS (2 * 60 * 1000)

/* What the key that made a signature is, besides its verdict. */
struct maker {
	const char *fingerprint; /* of the key or subkey that signed */
	unsigned long signed_at;
	bool found;
	bool had_expired; /* when it signed */
	char primary[OPENPGP_FINGERPRINT_BYTES];
};

static int
run(struct openpgp_loop *loop, gpgme_error_t failure,
    gpgme_error_t *ret_verdict, struct error *err)
{
	while (failure == 0 && loop->running) {
		if (openpgp_loop_step(loop, err) < 0)
			return -1;
	}
	*ret_verdict = failure != 0 ? failure : loop->verdict;
	return 0;
}

static int
refuse(gpgme_error_t failure, struct error *err)
{
	return error_set(err, ERROR_KEY, _("gpg cannot check a signature: %s"),
	    gpgme_strerror(failure));
}

static bool
had_expired(const struct _gpgme_subkey *key, unsigned long signed_at)
{
	return key->expires > 0 && (unsigned long)key->expires <= signed_at;
}

static void
consider(void *handle, gpgme_key_t key)
{
	struct maker *maker = handle;

	for (const struct _gpgme_subkey *sub = key->subkeys; sub != NULL;
	     sub = sub->next) {
		if (sub->fpr == NULL || key->fpr == NULL ||
		    strcmp(sub->fpr, maker->fingerprint) != 0)
			continue;
		maker->found = true;
		maker->had_expired =
		    had_expired(sub, maker->signed_at) ||
		    had_expired(key->subkeys, maker->signed_at);
		(void)snprintf(
		    maker->primary, sizeof(maker->primary), "%s", key->fpr);
	}
}

/* gpg names the part that signed; people know the primary key. */
static int
find_maker(struct maker *maker, struct error *err)
{
	struct openpgp_loop loop = {
	    .patience_ms = PATIENCE_MS, .on_key = consider, .handle = maker};
	auto_context gpgme_ctx_t context = NULL;
	gpgme_error_t failure = gpgme_new(&context);
	gpgme_error_t verdict = 0;

	if (failure == 0)
		failure =
		    gpgme_set_keylist_mode(context, GPGME_KEYLIST_MODE_LOCAL);
	if (failure == 0) {
		openpgp_loop_attach(&loop, context);
		failure =
		    gpgme_op_keylist_start(context, maker->fingerprint, 0);
	}
	if (run(&loop, failure, &verdict, err) < 0)
		return -1;
	return verdict == 0 ? 0 : refuse(verdict, err);
}

/* Whoever can find a collision of these can move a signature. */
static bool
is_weak(gpgme_hash_algo_t digest)
{
	return digest == GPGME_MD_MD5 || digest == GPGME_MD_SHA1 ||
	       digest == GPGME_MD_RMD160;
}

static const struct {
	gpgme_err_code_t code;
	const char *text;
} problems[] = {
    {GPG_ERR_BAD_SIGNATURE, N_("it is not the signature of this text")},
    {GPG_ERR_NO_PUBKEY, N_("the key that made it is not in the keyring")},
    {GPG_ERR_SIG_EXPIRED, N_("it has expired")},
    {GPG_ERR_CERT_REVOKED, N_("the key that made it is revoked")},
};

/* What is wrong with a signature, whoever made it; NULL is nothing. */
static const char *
problem_of(const struct _gpgme_signature *signature, bool *ret_forged)
{
	gpgme_err_code_t code = gpgme_err_code(signature->status);

	if (code == GPG_ERR_BAD_SIGNATURE)
		*ret_forged = true;
	for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++) {
		if (code == problems[i].code)
			return problems[i].text;
	}
	/* Whether it had expired when it signed, the key tells. */
	if (code != GPG_ERR_NO_ERROR && code != GPG_ERR_KEY_EXPIRED)
		return N_("gpg cannot check it");
	if (signature->fpr == NULL || signature->wrong_key_usage != 0)
		return N_("the key that made it is not one to sign with");
	return is_weak(signature->hash_algo) ? N_("its digest is too weak")
					     : NULL;
}

static int
judge(const struct _gpgme_signature *signature, struct openpgp_verdict *verdict,
    struct error *err)
{
	struct maker maker = {0};

	if (signature == NULL) {
		verdict->forged = true;
		verdict->problem = N_("it is not a signature");
		return 0;
	}
	verdict->problem = problem_of(signature, &verdict->forged);
	if (verdict->problem == NULL && signature->next != NULL)
		verdict->problem = N_("there is more than one");
	if (verdict->problem != NULL)
		return 0;

	maker.fingerprint = signature->fpr;
	maker.signed_at = signature->timestamp;
	if (find_maker(&maker, err) < 0)
		return -1;
	if (!maker.found)
		verdict->problem =
		    N_("the key that made it is not in the keyring");
	else if (maker.had_expired)
		verdict->problem = N_("the key that made it had expired");
	if (verdict->problem != NULL)
		return 0;
	verdict->good = true;
	memcpy(verdict->fingerprint, maker.primary, sizeof(maker.primary));
	return 0;
}

/* What gpg says of something that is no signature, or a spoilt one. */
static bool
is_about_signature(gpgme_error_t failure)
{
	static const gpgme_err_code_t spoilt[] = {GPG_ERR_NO_DATA,
	    GPG_ERR_BAD_DATA, GPG_ERR_INV_ARMOR, GPG_ERR_INV_PACKET,
	    GPG_ERR_UNKNOWN_PACKET, GPG_ERR_BAD_SIGNATURE, GPG_ERR_EOF,
	    GPG_ERR_UNEXPECTED, GPG_ERR_GENERAL};

	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		if (gpgme_err_code(failure) == spoilt[i])
			return true;
	}
	return false;
}

int
openpgp_verify(const char *text, size_t size, const char *signature,
    size_t signature_size, struct openpgp_verdict *ret_verdict,
    struct error *err)
{
	struct openpgp_loop loop = {.patience_ms = PATIENCE_MS};
	auto_data gpgme_data_t signed_text = NULL;
	auto_data gpgme_data_t signatures = NULL;
	auto_context gpgme_ctx_t context = NULL;
	gpgme_verify_result_t result;
	gpgme_error_t failure;
	gpgme_error_t ended = 0;

	if (openpgp_init(err) < 0)
		return -1;
	failure = gpgme_new(&context);
	if (failure == 0)
		failure = gpgme_data_new_from_mem(&signed_text, text, size, 0);
	if (failure == 0)
		failure = gpgme_data_new_from_mem(
		    &signatures, signature, signature_size, 0);
	if (failure != 0)
		return refuse(failure, err);

	openpgp_loop_attach(&loop, context);
	gpgme_set_offline(context, 1);
	failure = gpgme_op_verify_start(context, signatures, signed_text, NULL);
	if (failure != 0)
		return refuse(failure, err);
	if (run(&loop, 0, &ended, err) < 0)
		return -1;

	if (ended != 0 && !is_about_signature(ended))
		return refuse(ended, err);

	*ret_verdict = (struct openpgp_verdict){0};
	result = gpgme_op_verify_result(context);
	return judge(result != NULL && ended == 0 ? result->signatures : NULL,
	    ret_verdict, err);
}
