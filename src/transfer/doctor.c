#include "transfer/doctor.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "incus/client.h"
#include "transfer/doctor_checks.h"

struct check {
	const char *id;
	bool wants_daemon;
	enum finding_level failed; /* what a failure of it is */
	int (*look)(struct doctor *doctor, struct error *err);
	const char *nothing; /* what is told when it tells nothing; NULL */
};

/* In the order in which they are told; config and daemon come first. */
static const struct check checks[] = {
    {"config", false, FINDING_PROBLEM, doctor_config},
    {"daemon", false, FINDING_PROBLEM, doctor_daemon},
    {"daemon-version", true, FINDING_UNKNOWN, doctor_version},
    {"direct-export", true, FINDING_UNKNOWN, doctor_direct_export},
    {"spool-room", true, FINDING_UNKNOWN, doctor_spool_room},
    {"spool-encryption", true, FINDING_UNKNOWN, doctor_spool_encryption},
    {"pool-drivers", true, FINDING_UNKNOWN, doctor_pools},
    {"project-restrictions", true, FINDING_UNKNOWN, doctor_projects},
    {"clock", false, FINDING_UNKNOWN, doctor_clock},
    {"gpg", false, FINDING_PROBLEM, doctor_gpg},
    {"keyring", false, FINDING_UNKNOWN, doctor_keyring},
    {"key", false, FINDING_UNKNOWN, doctor_recipients},
    {"signing-key", false, FINDING_PROBLEM, doctor_signing_key},
    {"trusted-signer", false, FINDING_UNKNOWN, doctor_signers},
    {"policy", false, FINDING_PROBLEM, doctor_policy},
    {"audit", false, FINDING_PROBLEM, doctor_audit},
    {"output-mount", false, FINDING_PROBLEM, doctor_mount},
    {"output", false, FINDING_PROBLEM, doctor_output},
    {"output-on-root", false, FINDING_UNKNOWN, doctor_output_on_root},
    {"archive-times", false, FINDING_UNKNOWN, doctor_archive_times},
    {"leftover-file", false, FINDING_UNKNOWN, doctor_left_files,
	N_("no file is left of a run that was killed")},
    {"leftover-export", true, FINDING_UNKNOWN, doctor_left_exports,
	N_("no export is left of a run that was killed")},
    {"leftover-drill", true, FINDING_UNKNOWN, doctor_left_drills,
	N_("no project is left of a drill")},
    {"leftover-instance", true, FINDING_UNKNOWN, doctor_left_instances,
	N_("no instance is left of a restore")},
};

/* One that no longer answers would keep every further check waiting. */
static void
forget_daemon(struct doctor *doctor, const struct error *why)
{
	if (why->code != ERROR_UNREACHABLE)
		return;
	incus_client_free(doctor->client);
	doctor->client = NULL;
}

static size_t
count_told(const struct findings *findings)
{
	size_t count = 0;

	for (size_t i = 0; i < FINDING_LEVELS; i++)
		count += findings->counts[i];
	return count;
}

/* -1 only for what ends the run. */
static int
look(struct doctor *doctor, const struct check *check, struct error *err)
{
	size_t before = count_told(doctor->findings);
	struct error why = {0};

	if (interrupt_check(err) < 0)
		return -1;
	if (check->look(doctor, &why) == 0) {
		if (check->nothing != NULL &&
		    count_told(doctor->findings) == before)
			findings_say(doctor->findings, check->id, FINDING_OK,
			    "%s", _(check->nothing));
		return 0;
	}
	if (interrupt_check(err) < 0)
		return -1;
	forget_daemon(doctor, &why);
	findings_add(doctor->findings, check->id, check->failed, &why);
	return 0;
}

static int
look_at_all(struct doctor *doctor, struct error *err)
{
	char skipped[FINDING_NAMES_BYTES] = "";

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (checks[i].wants_daemon && doctor->client == NULL)
			finding_names_add(skipped, checks[i].id);
		else if (look(doctor, &checks[i], err) < 0)
			return -1;
	}
	if (*skipped != '\0')
		findings_say(doctor->findings, "not-checked", FINDING_UNKNOWN,
		    _("not looked at without the daemon: %s"), skipped);
	return 0;
}

int
doctor_look(const struct doctor_request *request, struct findings *findings,
    struct error *err)
{
	struct doctor doctor = {.request = request, .findings = findings};
	int result = look_at_all(&doctor, err);

	incus_client_free(doctor.client);
	config_clear(&doctor.config);
	name_set_clear(&doctor.ending);
	if (result < 0)
		return -1;
	if (findings->counts[FINDING_PROBLEM] == 0)
		return 0;
	return error_set(err, ERROR_PARTIAL, _("problems found: %zu"),
	    findings->counts[FINDING_PROBLEM]);
}
