#include "transfer/doctor_checks.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "store/archive.h"
#include "store/catalogue.h"
#include "store/local_path.h"
#include "store/mount_point.h"

/* Clocks of two hosts that share a directory differ a little. */
#define AHEAD_S (5 * 60)

int
doctor_mount(struct doctor *doctor, struct error *err)
{
	const char *mount = config_text(&doctor->config, CONFIG_REQUIRE_MOUNT);

	if (mount == NULL)
		return 0;
	if (mount_point_check(mount, err) < 0)
		return -1;
	findings_say(doctor->findings, "output-mount", FINDING_OK,
	    _("something is mounted at '%s'"), mount);
	return 0;
}

int
doctor_output(struct doctor *doctor, struct error *err)
{
	const char *output = config_text(&doctor->config, CONFIG_OUTPUT);

	if (!config_is_set(&doctor->config, CONFIG_OUTPUT)) {
		/* The current directory of the run that counts is another. */
		findings_say(doctor->findings, "output", FINDING_OK,
		    _("no output is configured: archives go to '%s' below the "
		      "current directory"),
		    output);
		return 0;
	}
	if (archive_check_directory(output, false, err) < 0)
		return -1;
	findings_say(doctor->findings, "output", FINDING_OK,
	    _("archives go to '%s'"), output);
	return 0;
}

/* Where disks are mounted (file-hierarchy(7), hier(7)). */
static bool
should_be_mounted(const char *path)
{
	static const char *const places[] = {
	    "/mnt/", "/media/", "/srv/", "/run/media/"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (text_starts_with(path, places[i]))
			return true;
	}
	return false;
}

int
doctor_output_on_root(struct doctor *doctor, struct error *err)
{
	const char *output = config_text(&doctor->config, CONFIG_OUTPUT);
	auto_free char *path = NULL;
	struct error what = {0};
	struct stat there;
	struct stat root;

	if (!config_is_set(&doctor->config, CONFIG_OUTPUT) ||
	    config_is_set(&doctor->config, CONFIG_REQUIRE_MOUNT) ||
	    stat(output, &there) < 0)
		return 0;
	path = local_path_resolve(output, err);
	if (path == NULL)
		return -1;
	if (stat("/", &root) < 0)
		return error_set_errno(err, errno, _("cannot open '%s'"), "/");
	if (there.st_dev != root.st_dev || !should_be_mounted(path)) {
		findings_say(doctor->findings, "output-on-root", FINDING_OK,
		    _("'%s' is where it should be"), output);
		return 0;
	}
	error_set(&what, ERROR_FAILED,
	    _("'%s' lies on the disk of '/': if a disk should be mounted "
	      "there, say so in the configuration, under [backup]"),
	    output);
	error_hint(&what, "require-mount = %s", path);
	findings_add(doctor->findings, "output-on-root", FINDING_NOTE, &what);
	return 0;
}

/* The entry that was made last, by what its manifest says; NULL. */
static const struct catalogue_entry *
newest_of(const struct catalogue *catalogue, time_t *ret_when)
{
	const struct catalogue_entry *newest = NULL;

	for (size_t i = 0; i < catalogue->count; i++) {
		const struct catalogue_entry *entry = &catalogue->entries[i];
		const char *text = json_text(entry->manifest, "created_at");
		time_t when;

		if (text == NULL || !clock_parse_rfc3339(text, &when) ||
		    (newest != NULL && when <= *ret_when))
			continue;
		newest = entry;
		*ret_when = when;
	}
	return newest;
}

int
doctor_archive_times(struct doctor *doctor, struct error *err)
{
	const char *output = config_text(&doctor->config, CONFIG_OUTPUT);
	auto_catalogue struct catalogue catalogue = {0};
	const struct catalogue_entry *newest;
	char shown[CLOCK_TEXT_BYTES];
	struct error what = {0};
	time_t when = 0;

	if (catalogue_read(output, &catalogue, err) < 0) {
		/* doctor_output() has told that. */
		if (err->code != ERROR_NO_DIRECTORY)
			return -1;
		error_clear(err);
		return 0;
	}
	newest = newest_of(&catalogue, &when);
	if (newest == NULL || when <= time(NULL) + AHEAD_S) {
		findings_say(doctor->findings, "archive-times", FINDING_OK,
		    _("no archive is from the future"));
		return 0;
	}
	error_set(&what, ERROR_FAILED,
	    _("'%s' is from the future (%s): the clock is wrong, or was"),
	    newest->path, clock_local(shown, when));
	error_hint(&what, "timedatectl status");
	findings_add(doctor->findings, "archive-times", FINDING_PROBLEM, &what);
	return 0;
}
