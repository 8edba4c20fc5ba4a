#include "transfer/doctor_checks.h"

#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/audit_file.h"
#include "transfer/doctor.h"
#include "transfer/policy.h"
#include "transfer/policy_file.h"

/* 2026-01-01: this program is younger than that. */
#define CLOCK_EARLIEST_S 1767225600

int
doctor_config(struct doctor *doctor, struct error *err)
{
	char files[FINDING_NAMES_BYTES] = "";

	if (config_read(&doctor->config, err) < 0)
		return -1;
	for (size_t i = 0; i < 2; i++) {
		if (doctor->config.files[i] != NULL &&
		    access(doctor->config.files[i], F_OK) == 0)
			finding_names_add(files, doctor->config.files[i]);
	}
	if (*files == '\0')
		findings_say(doctor->findings, "config", FINDING_OK,
		    _("there is no configuration file: defaults count"));
	else
		findings_say(doctor->findings, "config", FINDING_OK,
		    _("configuration read: %s"), files);
	return 0;
}

int
doctor_policy(struct doctor *doctor, struct error *err)
{
	auto_policy_set struct policy_set set = {0};
	struct error what = {0};

	if (policy_set_read(&set, err) < 0)
		return -1;
	for (size_t i = 0; i < set.count; i++)
		findings_say(doctor->findings, "policy", FINDING_OK,
		    _("'%s' is well-formed; rules: %zu"), set.items[i]->file,
		    set.items[i]->rule_count);
	if (set.count > 0)
		return 0;
	error_set(&what, ERROR_FAILED,
	    _("there is no '%s': everything is allowed"), POLICY_FILE);
	error_hint(&what, "sudoedit %s", POLICY_FILE);
	findings_add(doctor->findings, "policy", FINDING_NOTE, &what);
	return 0;
}

/* Whether a trail is there that can be written. */
static bool
is_trail_there(void)
{
	for (size_t place = 0; place < AUDIT_PLACE_COUNT; place++) {
		struct error ignored = {0};
		auto_free char *directory = audit_directory(place, &ignored);
		auto_free char *path = directory != NULL
					   ? text_format(&ignored, "%s/%s",
						 directory, AUDIT_FILE_NAME)
					   : NULL;

		if (path != NULL && access(path, W_OK) == 0)
			return true;
	}
	return false;
}

int
doctor_audit(struct doctor *doctor, struct error *err)
{
	if (doctor->request->dry_run && !is_trail_there()) {
		findings_say(doctor->findings, "audit", FINDING_UNKNOWN,
		    _("whether the audit trail can be written is not tried "
		      "with --dry-run"));
		return 0;
	}
	if (!doctor->request->dry_run && audit_check_writable(err) < 0)
		return -1;
	findings_say(doctor->findings, "audit", FINDING_OK,
	    _("the audit trail can be written"));
	return 0;
}

int
doctor_clock(struct doctor *doctor, struct error *err)
{
	time_t now = time(NULL);
	char shown[CLOCK_TEXT_BYTES];
	struct error what = {0};

	(void)err;
	(void)clock_local(shown, now);
	if (now >= CLOCK_EARLIEST_S) {
		findings_say(doctor->findings, "clock", FINDING_OK,
		    _("the clock says %s"), shown);
		return 0;
	}
	error_set(&what, ERROR_FAILED,
	    _("the clock says %s: archives would be dated so"), shown);
	error_hint(&what, "timedatectl set-ntp true");
	findings_add(doctor->findings, "clock", FINDING_PROBLEM, &what);
	return 0;
}
