#include <gpgme.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/i18n.h"
#include "stream/openpgp.h"

/* What one id has turned up. */
struct search {
	const char *id;
	bool by_fingerprint;
	bool certified;
	size_t usable;
	size_t unusable;
	const char *why_unusable; /* of the last one */
	struct openpgp_key found;
};

static void
auto_context_cleanup(gpgme_ctx_t *context)
{
	if (*context != NULL)
		gpgme_release(*context);
}
#define auto_context __attribute__((cleanup(auto_context_cleanup)))

int
openpgp_init(struct error *err)
{
	gpgme_error_t failure;

	(void)gpgme_check_version(NULL);
	failure = gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP);
	if (failure == 0)
		return 0;
	error_set(err, ERROR_KEY, _("gpg cannot be used: %s"),
	    gpgme_strerror(failure));
	return error_hint(err, "apt install gnupg");
}

/* Whether the whole id is a fingerprint; a leading 0x and spaces are allowed.
 */
static bool
is_fingerprint(const char *id, char digits[OPENPGP_FINGERPRINT_BYTES])
{
	size_t count = 0;

	if (strncasecmp(id, "0x", 2) == 0)
		id += 2;
	for (; *id != '\0'; id++) {
		if (*id == ' ')
			continue;
		if (strchr("0123456789abcdefABCDEF", *id) == NULL ||
		    count + 1 >= OPENPGP_FINGERPRINT_BYTES)
			return false;
		digits[count++] = *id;
	}
	digits[count] = '\0';
	return count == 40 || count == 64;
}

/* gpg finds an address anywhere inside another ("ann@x.org" in
 * "joann@x.org"): an address must be the user id's own. */
static bool
user_id_matches(const struct search *search, const struct _gpgme_user_id *uid)
{
	if (strchr(search->id, '@') == NULL || strchr(search->id, '<') != NULL)
		return true;
	return uid->address != NULL &&
	       strcasecmp(uid->address, search->id) == 0;
}

static const char *
why_unusable(const struct _gpgme_key *key)
{
	if (key->revoked)
		return _("revoked");
	if (key->expired)
		return _("expired");
	if (key->disabled)
		return _("disabled");
	if (key->invalid)
		return _("invalid");
	if (!key->can_encrypt)
		return _("not able to encrypt");
	return NULL;
}

/* When the key can no longer be used: the earliest of its own end and that of
 * its last encryption subkey. */
static time_t
expiry_of(const struct _gpgme_key *key)
{
	time_t latest = 0;
	time_t primary = key->subkeys != NULL ? key->subkeys->expires : 0;

	for (const struct _gpgme_subkey *sub = key->subkeys; sub != NULL;
	     sub = sub->next) {
		if (!sub->can_encrypt || sub->revoked || sub->expired)
			continue;
		if (sub->expires == 0) {
			latest = 0;
			break;
		}
		if (sub->expires > latest)
			latest = sub->expires;
	}
	if (primary != 0 && (latest == 0 || primary < latest))
		latest = primary;
	return latest;
}

static void
consider(struct search *search, const struct _gpgme_key *key)
{
	const char *why = why_unusable(key);
	bool named = search->by_fingerprint;
	bool matches = search->by_fingerprint;
	bool certified = false;

	for (const struct _gpgme_user_id *uid = key->uids; uid != NULL;
	     uid = uid->next) {
		if (!user_id_matches(search, uid))
			continue;
		named = true;
		if (uid->revoked || uid->invalid)
			continue;
		matches = true;
		certified |= uid->validity >= GPGME_VALIDITY_MARGINAL;
	}
	/* The user ids of a key that has expired or is revoked are, too. */
	if (why != NULL ? !named : !matches)
		return;

	if (why != NULL) {
		search->unusable++;
		search->why_unusable = why;
		return;
	}
	search->usable++;
	search->certified = certified;
	search->found.expires = expiry_of(key);
	(void)snprintf(search->found.fingerprint,
	    sizeof(search->found.fingerprint), "%s",
	    key->fpr != NULL ? key->fpr : key->subkeys->fpr);
}

/* Two keys for one id: which, for the message. */
static void
name_choice(gpgme_ctx_t context, const struct search *search, struct error *err)
{
	gpgme_key_t key = NULL;

	if (gpgme_op_keylist_start(context, search->id, 0) != 0)
		return;
	while (gpgme_op_keylist_next(context, &key) == 0) {
		struct search one = {.id = search->id};

		consider(&one, key);
		if (one.usable > 0)
			error_hint(err, "--gpg %s  (%s)", key->fpr,
			    key->uids != NULL ? key->uids->uid : "?");
		gpgme_key_unref(key);
	}
}

static int
judge(gpgme_ctx_t context, const struct search *search, struct error *err)
{
	if (search->usable == 0 && search->unusable > 0) {
		error_set(err, ERROR_KEY, _("the key for '%s' is %s"),
		    search->id, search->why_unusable);
		return error_hint_command(
		    err, "gpg", "--list-keys", search->id, NULL);
	}
	if (search->usable == 0) {
		error_set(err, ERROR_KEY, _("no key for '%s' in the keyring"),
		    search->id);
		return error_hint(err, _("keys are never fetched; import it: "
					 "gpg --import FILE"));
	}
	if (search->usable > 1) {
		error_set(err, ERROR_KEY,
		    _("%zu usable keys for '%s': name one by its fingerprint"),
		    search->usable, search->id);
		name_choice(context, search, err);
		return -1;
	}
	if (!search->certified && !search->by_fingerprint) {
		error_set(err, ERROR_KEY,
		    _("nobody has certified that the key for '%s' is theirs"),
		    search->id);
		return error_hint(err,
		    _("if its fingerprint is right, name it by that: --gpg %s"),
		    search->found.fingerprint);
	}
	return 0;
}

static int
find_one(const char *id, struct openpgp_key *ret_key, struct error *err)
{
	auto_context gpgme_ctx_t context = NULL;
	char digits[OPENPGP_FINGERPRINT_BYTES];
	struct search search = {
	    .id = id, .by_fingerprint = is_fingerprint(id, digits)};
	const char *pattern = search.by_fingerprint ? digits : id;
	gpgme_key_t key = NULL;
	gpgme_error_t failure = gpgme_new(&context);

	if (failure == 0)
		failure =
		    gpgme_set_keylist_mode(context, GPGME_KEYLIST_MODE_LOCAL);
	if (failure == 0)
		failure = gpgme_op_keylist_start(context, pattern, 0);
	while (failure == 0) {
		failure = gpgme_op_keylist_next(context, &key);
		if (failure != 0)
			break;
		consider(&search, key);
		gpgme_key_unref(key);
	}
	if (gpgme_err_code(failure) != GPG_ERR_EOF)
		return error_set(err, ERROR_KEY,
		    _("cannot list the keys for '%s': %s"), id,
		    gpgme_strerror(failure));

	if (judge(context, &search, err) < 0)
		return -1;
	*ret_key = search.found;
	return 0;
}

int
openpgp_find_recipients(const char *const *ids, size_t count,
    struct openpgp_recipients *ret_recipients, struct error *err)
{
	struct openpgp_recipients found = {0};

	if (count > 0 && openpgp_init(err) < 0)
		return -1;
	if (count > OPENPGP_RECIPIENTS_MAX)
		return error_set(err, ERROR_USAGE,
		    _("at most %d keys can be named"), OPENPGP_RECIPIENTS_MAX);

	for (size_t i = 0; i < count; i++) {
		struct openpgp_key key;
		bool known = false;

		if (*ids[i] == '\0')
			return error_set(
			    err, ERROR_USAGE, _("an empty key name"));
		if (find_one(ids[i], &key, err) < 0)
			return -1;
		for (size_t k = 0; k < found.count; k++)
			known |= strcmp(found.keys[k].fingerprint,
				     key.fingerprint) == 0;
		if (!known)
			found.keys[found.count++] = key;
	}
	*ret_recipients = found;
	return 0;
}
