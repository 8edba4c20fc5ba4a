#include "stream/openpgp_keys.h"

#include <ctype.h>
#include <gpgme.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "stream/openpgp.h"
#include "stream/openpgp_loop.h"

/* A list waits for nobody, but gpg may have to judge the trust in all the keys
 * of a large keyring first. */
#define PATIENCE_MS (2 * 60 * 1000)

/* How many keys of one name are shown, and how much of a user id. */
#define CHOICE_MAX 8
#define USER_ID_SHOWN_BYTES 200

/* Of a v4 key (RFC 4880, section 12.2): anything shorter is no proof. */
#define FINGERPRINT_DIGITS_MIN 40

/* What one id has turned up. */
struct search {
	const char *id;
	bool signing; /* for a key to sign with: the secret ones only */
	char digits[OPENPGP_FINGERPRINT_BYTES]; /* "": it is not hexadecimal */
	bool certified;
	bool by_fingerprint;
	size_t usable;
	size_t unusable;
	const char *why_unusable; /* of the last one */
	struct openpgp_key found; /* the last usable one */
	gpgme_key_t choice[CHOICE_MAX];
	gpgme_err_code_t trouble; /* gpg's status: the keyring is unreadable */
};

static void
auto_search_cleanup(struct search *search)
{
	for (size_t i = 0; i < CHOICE_MAX; i++) {
		if (search->choice[i] != NULL)
			gpgme_key_unref(search->choice[i]);
	}
}
#define auto_search __attribute__((cleanup(auto_search_cleanup)))

int
openpgp_init(struct error *err)
{
	gpgme_error_t failure;

	/* gpgme runs gpgconf three times to learn where gpg is, which PATH says
	 * as well (gpgme manual, "Library Version Check"). */
	(void)gpgme_set_global_flag("disable-gpgconf", "1");
	(void)gpgme_check_version(NULL);
	failure = gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP);
	if (failure == 0)
		return 0;
	error_set(err, ERROR_KEY, _("gpg cannot be used: %s"),
	    gpgme_strerror(failure));
	return error_hint(err, "apt install gnupg");
}

/* The digits of an id that is a fingerprint, which may have spaces, or the 16
 * or 8 last ones of a v4 fingerprint; a leading 0x is allowed. "" otherwise. */
static void
take_digits(const char *id, char ret_digits[OPENPGP_FINGERPRINT_BYTES])
{
	size_t count = 0;
	bool spaced = false;

	ret_digits[0] = '\0';
	if (strncasecmp(id, "0x", 2) == 0)
		id += 2;
	for (; *id != '\0'; id++) {
		if (*id == ' ') {
			spaced = true;
			continue;
		}
		if (!isxdigit((unsigned char)*id) ||
		    count + 1 >= OPENPGP_FINGERPRINT_BYTES)
			break;
		ret_digits[count++] = *id;
	}
	ret_digits[count] = '\0';
	if (*id != '\0' || (count != 40 && count != 64 &&
			       (spaced || (count != 8 && count != 16))))
		ret_digits[0] = '\0';
}

/* gpg finds a key by the digits of its subkeys, too. */
static bool
digits_match(const char *digits, const struct _gpgme_key *key)
{
	size_t count = strlen(digits);

	for (const struct _gpgme_subkey *sub = key->subkeys; sub != NULL;
	     sub = sub->next) {
		const char *whole = count > 16 ? sub->fpr : sub->keyid;

		if (whole != NULL && strlen(whole) >= count &&
		    strcasecmp(whole + strlen(whole) - count, digits) == 0)
			return true;
	}
	return false;
}

/* gpg gives the whole key when one of its user ids is meant, and finds an
 * address anywhere inside another ("ann@x.org" in "joann@x.org"). What a user
 * id is worth counts only where the id means that one: an address must be its
 * own, any other text be in it. */
static bool
user_id_matches(const char *id, const struct _gpgme_user_id *uid)
{
	const char *address;
	size_t length;

	id += strspn(id, " \t");
	if (*id == '=')
		return strcmp(uid->uid, id + 1) == 0;
	address = strchr(id, '<');
	if (address != id && strcasestr(uid->uid, id) == NULL)
		return false;
	if (address == NULL && strchr(id, '@') == NULL)
		return true;

	address = address != NULL ? address + 1 : id;
	length = strcspn(address, ">");
	return uid->address != NULL && strlen(uid->address) == length &&
	       strncasecmp(uid->address, address, length) == 0;
}

static const char *
why_unusable(const struct _gpgme_key *key, bool signing)
{
	if (key->revoked)
		return _("revoked");
	if (key->expired)
		return _("expired");
	if (key->disabled)
		return _("disabled");
	if (key->invalid)
		return _("invalid");
	if (signing && !key->can_sign)
		return _("not able to sign");
	if (!signing && !key->can_encrypt)
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
keep(struct search *search, gpgme_key_t key)
{
	if (search->usable < CHOICE_MAX) {
		gpgme_key_ref(key);
		search->choice[search->usable] = key;
	}
	search->usable++;
	search->found.expires = expiry_of(key);
	(void)snprintf(search->found.fingerprint,
	    sizeof(search->found.fingerprint), "%s", key->fpr);
}

static void
consider(void *handle, gpgme_key_t key)
{
	struct search *search = handle;
	const char *why = why_unusable(key, search->signing);
	bool by_digits = *search->digits != '\0';
	bool named = by_digits && digits_match(search->digits, key);
	bool consent = by_digits && key->fpr != NULL &&
		       strcasecmp(key->fpr, search->digits) == 0;
	bool matches = consent;
	/* Who holds the secret part needs nobody to certify it. */
	bool certified = search->signing;

	for (const struct _gpgme_user_id *uid = key->uids; uid != NULL;
	     uid = uid->next) {
		if (by_digits ? !named : !user_id_matches(search->id, uid))
			continue;
		named = true;
		if (uid->revoked || uid->invalid)
			continue;
		matches = true;
		certified |= uid->validity >= GPGME_VALIDITY_MARGINAL;
	}
	/* The user ids of a key that has expired or is revoked are, too. */
	if (key->fpr == NULL || (why != NULL ? !named : !matches))
		return;

	if (why != NULL) {
		search->unusable++;
		search->why_unusable = why;
		return;
	}
	search->certified = certified;
	search->by_fingerprint = consent;
	keep(search, key);
}

/* Two keys for one id: which. The user id is anybody's text: it is a comment
 * to a shell, and a quoted word to one that knows no comments where it is
 * pasted. */
static void
name_choice(const struct search *search, struct error *err)
{
	for (size_t i = 0; i < search->usable && i < CHOICE_MAX; i++) {
		const struct _gpgme_key *key = search->choice[i];
		const char *uid = key->uids != NULL ? key->uids->uid : "?";
		char shown[USER_ID_SHOWN_BYTES];
		struct error ignored = {0};
		auto_free char *quoted = text_shell_quote(
		    text_escape(shown, sizeof(shown), uid, strlen(uid)),
		    &ignored);

		if (quoted != NULL)
			error_hint(err, "--%s %s  # %s",
			    search->signing ? "sign" : "gpg", key->fpr, quoted);
	}
}

static int
refuse_unknown(const struct search *search, struct error *err)
{
	if (search->signing) {
		error_set(err, ERROR_KEY,
		    _("no secret key for '%s' in the keyring"), search->id);
		return error_hint(err, "gpg --list-secret-keys");
	}
	error_set(
	    err, ERROR_KEY, _("no key for '%s' in the keyring"), search->id);
	return error_hint(
	    err, _("keys are never fetched; import it: gpg --import FILE"));
}

static int
judge(const struct search *search, struct error *err)
{
	if (search->usable == 0 && search->unusable > 0) {
		error_set(err, ERROR_KEY, _("the key for '%s' is %s"),
		    search->id, search->why_unusable);
		return error_hint_command(
		    err, "gpg", "--list-keys", search->id, NULL);
	}
	if (search->usable == 0)
		return refuse_unknown(search, err);
	if (search->usable > 1) {
		error_set(err, ERROR_KEY,
		    _("%zu usable keys for '%s': name one by its fingerprint"),
		    search->usable, search->id);
		name_choice(search, err);
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

/* gpgme hands over the keys that gpg has listed before it failed, and hardly
 * anything of the failure: "ERROR <where> <code>" (GnuPG, doc/DETAILS). */
static gpgme_error_t
on_status(void *handle, const char *keyword, const char *arguments)
{
	struct search *search = handle;
	const char *code = strchr(arguments, ' ');
	gpgme_err_code_t trouble;

	if (strcmp(keyword, "ERROR") != 0 || code == NULL ||
	    (!text_starts_with(arguments, "keylist.") &&
		!text_starts_with(arguments, "keydb_search")))
		return 0;
	trouble = gpgme_err_code((gpgme_error_t)strtoul(code, NULL, 10));
	if (trouble != GPG_ERR_NO_PUBKEY && trouble != GPG_ERR_NO_SECKEY &&
	    trouble != GPG_ERR_NOT_FOUND)
		search->trouble = trouble;
	return 0;
}

/* Let `search` consider all the keys that gpg finds. */
static int
list_keys(struct search *search, struct error *err)
{
	struct openpgp_loop loop = {
	    .patience_ms = PATIENCE_MS,
	    .on_key = consider,
	    .handle = search,
	};
	auto_context gpgme_ctx_t context = NULL;
	gpgme_error_t failure = gpgme_new(&context);

	if (failure == 0)
		failure =
		    gpgme_set_keylist_mode(context, GPGME_KEYLIST_MODE_LOCAL);
	if (failure == 0)
		failure = gpgme_set_ctx_flag(context, "full-status", "1");
	if (failure == 0) {
		openpgp_loop_attach(&loop, context);
		gpgme_set_status_cb(context, on_status, search);
		failure = gpgme_op_keylist_start(context,
		    *search->digits != '\0' ? search->digits : search->id,
		    search->signing);
	}
	while (failure == 0 && loop.running) {
		if (openpgp_loop_step(&loop, err) < 0)
			return -1;
	}

	if (failure == 0)
		failure = loop.verdict;
	if (failure == 0 && search->trouble != 0)
		failure = gpgme_error(search->trouble);
	if (failure == 0)
		return 0;
	error_set(err, ERROR_KEY, _("cannot list the keys for '%s': %s"),
	    search->id, gpgme_strerror(failure));
	return error_hint_command(err, "gpg", "--list-keys", search->id, NULL);
}

static int
find_one(const char *id, struct openpgp_key *ret_key, struct error *err)
{
	auto_search struct search search = {.id = id};

	take_digits(id, search.digits);
	if (list_keys(&search, err) < 0 || judge(&search, err) < 0)
		return -1;
	*ret_key = search.found;
	return 0;
}

int
openpgp_find_secret_key(const char *id, gpgme_key_t *ret_key, struct error *err)
{
	auto_search struct search search = {.id = id, .signing = true};

	if (openpgp_init(err) < 0)
		return -1;
	if (*id == '\0')
		return error_set(err, ERROR_USAGE, _("an empty key name"));
	take_digits(id, search.digits);
	if (list_keys(&search, err) < 0 || judge(&search, err) < 0)
		return -1;
	*ret_key = steal(search.choice[0]);
	return 0;
}

int
openpgp_parse_fingerprint(const char *text,
    char ret_fingerprint[OPENPGP_FINGERPRINT_BYTES], struct error *err)
{
	char digits[OPENPGP_FINGERPRINT_BYTES];

	take_digits(text, digits);
	if (strlen(digits) < FINGERPRINT_DIGITS_MIN) {
		error_set(err, ERROR_USAGE,
		    _("'%s' is not a whole fingerprint"), text);
		return error_hint_command(
		    err, "gpg", "--fingerprint", text, NULL);
	}
	for (char *one = digits; *one != '\0'; one++) {
		if (*one >= 'a')
			*one = (char)(*one - 'a' + 'A');
	}
	memcpy(ret_fingerprint, digits, sizeof(digits));
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
