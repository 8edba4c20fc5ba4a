#include "transfer/doctor_checks.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "stream/openpgp.h"

/* What Debian had in 2019; older ones lack much that is asked of gpg. */
#define GPG_MAJOR 2
#define GPG_MINOR 2

/* As create does it (describe.c). */
#define KEY_WARNING_S ((time_t)30 * 24 * 60 * 60)

/* "2.2.40" */
static bool
is_old(const char *version)
{
	char *end;
	unsigned long major = strtoul(version, &end, 10);
	unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;

	return major < GPG_MAJOR || (major == GPG_MAJOR && minor < GPG_MINOR);
}

int
doctor_gpg(struct doctor *doctor, struct error *err)
{
	char version[OPENPGP_VERSION_BYTES];

	if (openpgp_version(version, err) < 0)
		return -1;
	if (is_old(version)) {
		error_set(err, ERROR_KEY,
		    _("gpg is %s: it must be %d.%d at least"), version,
		    GPG_MAJOR, GPG_MINOR);
		return error_hint(err, "apt install gnupg");
	}
	findings_say(
	    doctor->findings, "gpg", FINDING_OK, _("gpg is %s"), version);
	return 0;
}

/* The keyring that gpg uses. Heap. */
static char *
keyring_directory(struct error *err)
{
	const char *given = getenv("GNUPGHOME");
	const char *home = getenv("HOME");

	if (given != NULL && *given != '\0')
		return text_format(err, "%s", given);
	return text_format(
	    err, "%s/.gnupg", home != NULL && *home != '\0' ? home : "~");
}

/* Who has typed sudo; NULL without it. */
static const struct passwd *
user_behind_sudo(void)
{
	const char *user = getenv("SUDO_USER");

	if (geteuid() != 0 || user == NULL || strcmp(user, "root") == 0)
		return NULL;
	return getpwnam(user);
}

int
doctor_keyring(struct doctor *doctor, struct error *err)
{
	const struct passwd *user = user_behind_sudo();
	auto_free char *keyring = keyring_directory(err);
	auto_free char *theirs = NULL;
	struct error what = {0};
	struct stat found;

	if (keyring == NULL)
		return -1;
	if (user == NULL) {
		findings_say(doctor->findings, "keyring", FINDING_OK,
		    _("the keyring is '%s'"), keyring);
		return 0;
	}
	if (stat(keyring, &found) == 0 && found.st_uid == user->pw_uid) {
		findings_say(doctor->findings, "keyring", FINDING_NOTE,
		    _("under sudo the keyring is '%s', of '%s': what gpg makes "
		      "in it belongs to root"),
		    keyring, user->pw_name);
		return 0;
	}
	theirs = text_format(err, "GNUPGHOME=%s/.gnupg", user->pw_dir);
	if (theirs == NULL)
		return -1;
	error_set(&what, ERROR_FAILED,
	    _("under sudo the keyring is '%s', not that of '%s'"), keyring,
	    user->pw_name);
	error_hint_command(&what, "sudo", theirs, "anklume", "doctor", NULL);
	findings_add(doctor->findings, "keyring", FINDING_NOTE, &what);
	return 0;
}

/* Told in time, and once, whatever the key is for. */
static void
look_at_end(struct doctor *doctor, const struct openpgp_key *key)
{
	char shown[CLOCK_TEXT_BYTES];
	struct error what = {0};

	if (key->expires == 0 || key->expires > time(NULL) + KEY_WARNING_S ||
	    name_set_add(&doctor->ending, key->fingerprint, &what) == 0)
		return;
	error_clear(&what);
	error_set(&what, ERROR_KEY, _("the key %s expires on %.10s"),
	    key->fingerprint, clock_local(shown, key->expires));
	error_hint(&what, "gpg --quick-set-expire %s 2y", key->fingerprint);
	error_hint(&what, "gpg --quick-set-expire %s 2y '*'", key->fingerprint);
	findings_add(doctor->findings, "key-expires", FINDING_PROBLEM, &what);
}

static bool
is_among(const struct openpgp_recipients *keys, const struct openpgp_key *key)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (strcmp(keys->keys[i].fingerprint, key->fingerprint) == 0)
			return true;
	}
	return false;
}

/* Each key once. What is wrong with one does not hide another: how many are not
 * usable. */
static size_t
find_recipients(struct doctor *doctor, struct openpgp_recipients *found)
{
	const struct config_value *ids = &doctor->config.values[CONFIG_GPG];
	size_t missing = 0;

	for (size_t i = 0; i < ids->count; i++) {
		const char *id = ids->items[i];
		struct openpgp_recipients one;
		struct error why = {0};

		if (openpgp_find_recipients(&id, 1, &one, &why) < 0) {
			findings_add(
			    doctor->findings, "key", FINDING_PROBLEM, &why);
			missing++;
			continue;
		}
		findings_say(doctor->findings, "key", FINDING_OK,
		    _("'%s' is the key %s"), id, one.keys[0].fingerprint);
		look_at_end(doctor, &one.keys[0]);
		if (found->count < OPENPGP_RECIPIENTS_MAX &&
		    !is_among(found, &one.keys[0]))
			found->keys[found->count++] = one.keys[0];
	}
	return missing;
}

/* Whether whoever loses this disk can still open a backup. */
static int
look_at_secrets(struct doctor *doctor, const struct openpgp_recipients *keys,
    struct error *err)
{
	struct error what = {0};
	const char *first = keys->keys[0].fingerprint;

	for (size_t i = 0; i < keys->count; i++) {
		struct openpgp_look look;

		if (openpgp_look_up(keys->keys[i].fingerprint, &look, err) < 0)
			return -1;
		if (!look.decrypts_here)
			return 0;
	}
	error_set(&what, ERROR_KEY,
	    _("the secret part of every key lies on this machine: without a "
	      "copy elsewhere, backups are lost along with it"));
	error_hint(&what,
	    "gpg --armor --output anklume-key.asc "
	    "--export-secret-keys %s",
	    first);
	findings_add(doctor->findings, "secret-here", FINDING_NOTE, &what);
	return 0;
}

static void
tell_one_recipient(struct doctor *doctor)
{
	struct error what = {0};

	error_set(&what, ERROR_KEY,
	    _("one key alone can open the backups: configure a second one "
	      "that is kept elsewhere"));
	error_hint(&what, "gpg = ID");
	findings_add(doctor->findings, "one-recipient", FINDING_NOTE, &what);
}

int
doctor_recipients(struct doctor *doctor, struct error *err)
{
	struct openpgp_recipients found = {0};
	struct error what = {0};
	size_t missing;

	if (!config_is_set(&doctor->config, CONFIG_GPG)) {
		error_set(&what, ERROR_KEY,
		    _("no key is configured: a backup is only encrypted with "
		      "--gpg"));
		error_hint(&what, "anklume backup create INSTANCE --gpg ID");
		findings_add(doctor->findings, "key", FINDING_NOTE, &what);
		return 0;
	}
	missing = find_recipients(doctor, &found);
	if (found.count == 1 && missing == 0)
		tell_one_recipient(doctor);
	return found.count > 0 ? look_at_secrets(doctor, &found, err) : 0;
}

int
doctor_signing_key(struct doctor *doctor, struct error *err)
{
	const char *id = config_text(&doctor->config, CONFIG_SIGN);
	struct openpgp_key key;

	if (id == NULL)
		return 0;
	if (openpgp_find_signing_key(id, &key, err) < 0)
		return -1;
	findings_say(doctor->findings, "signing-key", FINDING_OK,
	    _("'%s' is the key %s, which signs"), id, key.fingerprint);
	look_at_end(doctor, &key);
	return 0;
}

static int
look_at_signer(struct doctor *doctor, const char *text, struct error *err)
{
	struct openpgp_key key = {0};
	struct openpgp_look look;
	struct error what = {0};

	if (openpgp_parse_fingerprint(text, key.fingerprint, err) < 0 ||
	    openpgp_look_up(key.fingerprint, &look, err) < 0)
		return -1;
	key.expires = look.expires;
	if (look.found && !look.unusable) {
		findings_say(doctor->findings, "trusted-signer", FINDING_OK,
		    _("the trusted signer %s is known"), key.fingerprint);
		look_at_end(doctor, &key);
		return 0;
	}
	if (look.found) {
		error_set(&what, ERROR_KEY,
		    _("the key of the trusted signer %s cannot be used"),
		    key.fingerprint);
		error_hint(&what, "gpg --list-keys %s", key.fingerprint);
	} else {
		error_set(&what, ERROR_KEY,
		    _("the key of the trusted signer %s is not in the keyring"),
		    key.fingerprint);
		error_hint(&what, "gpg --import FILE");
	}
	findings_add(
	    doctor->findings, "trusted-signer", FINDING_PROBLEM, &what);
	return 0;
}

int
doctor_signers(struct doctor *doctor, struct error *err)
{
	const struct config_value *signers =
	    &doctor->config.values[CONFIG_SIGNERS];

	for (size_t i = 0; i < signers->count; i++) {
		if (look_at_signer(doctor, signers->items[i], err) < 0)
			return -1;
	}
	return 0;
}
