#include "transfer/doctor_checks.h"

#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/text.h"
#include "incus/backup.h"
#include "incus/instance.h"
#include "incus/scratch_project.h"
#include "incus/volume.h"
#include "store/host_lock.h"
#include "store/left_file.h"
#include "transfer/create_lock.h"
#include "transfer/doctor.h"
#include "transfer/drill_sweep.h"
#include "transfer/replacement.h"

/* An export that nobody of this host is at may be that of another. */
#define EXPORT_OLD_S ((time_t)60 * 60)

/* Of a drill's project (drill.c). */
#define DRILL_DIGITS 12

struct leftover {
	const char *id;
	const char *what; /* "the file 'x'", translated */
	int (*take_away)(const void *data, struct error *err);
	const void *data;
};

static void
tell_leftover(struct doctor *doctor, const struct leftover *left)
{
	struct error what = {0};

	if (doctor->request->fix)
		error_set(
		    &what, ERROR_FAILED, _("would take away %s"), left->what);
	else
		error_set(&what, ERROR_FAILED,
		    _("%s is left of a run that has ended"), left->what);
	error_hint(&what, "anklume doctor --fix");
	findings_add(doctor->findings, left->id, FINDING_PROBLEM, &what);
}

/* Say so, or take it away and say that; -1 only when interrupted. */
static int
deal_with(struct doctor *doctor, const struct leftover *left, struct error *err)
{
	struct error why = {0};

	if (!doctor->request->fix || doctor->request->dry_run) {
		tell_leftover(doctor, left);
		return 0;
	}
	if (left->take_away(left->data, &why) == 0) {
		findings_say(doctor->findings, left->id, FINDING_FIXED,
		    _("took away %s"), left->what);
		return 0;
	}
	if (interrupt_check(err) < 0)
		return -1;
	error_prefix(&why, _("cannot take away %s"), left->what);
	findings_add(doctor->findings, left->id, FINDING_PROBLEM, &why);
	return 0;
}

static int
take_file_away(const void *data, struct error *err)
{
	return left_file_remove(data, err);
}

static int
on_file(void *data, const struct left_file *file, struct error *err)
{
	auto_free char *what = NULL;

	if (file->in_use)
		return 0;
	what = text_format(err, _("the file '%s'"), file->path);
	if (what == NULL)
		return -1;
	return deal_with(data,
	    &(struct leftover){"leftover-file", what, take_file_away, file},
	    err);
}

int
doctor_left_files(struct doctor *doctor, struct error *err)
{
	const char *output = config_text(&doctor->config, CONFIG_OUTPUT);

	if (left_file_each(output, on_file, doctor, err) == 0)
		return 0;
	/* doctor_output() has told that. */
	if (err->code != ERROR_NO_DIRECTORY)
		return -1;
	error_clear(err);
	return 0;
}

/* An export, and whose it is. */
struct export
{
	struct doctor *doctor;
	const struct backup_subject *of;
	const char *name;
};

static int
take_export_away(const void *data, struct error *err)
{
	const struct export *export = data;

	return incus_backup_delete(
	    export->doctor->client, export->of, export->name, err);
}

/* Of a run of this host's that was killed: it asks for its export soon after it
 * has taken the lock. Another user's run takes another lock. */
static bool
is_of_run(time_t made, time_t since)
{
	return made >= since && made <= since + EXPORT_OLD_S;
}

/* Whether the run that has made an export has ended, as far as this host
 * knows. */
static int
export_is_left(struct incus_client *client, const struct backup_subject *of,
    const json_t *object, bool *ret_left, struct error *err)
{
	const char *text = json_text(object, "created_at");
	enum host_lock_state state;
	time_t since = 0;
	time_t made;

	if (create_lock_look(client, of, &state, &since, err) < 0)
		return -1;
	if (text == NULL || !clock_parse_rfc3339(text, &made))
		return error_set(err, ERROR_FAILED,
		    _("the daemon does not tell when an export of '%s/%s' was "
		      "made"),
		    of->project, of->name);
	*ret_left = state != HOST_LOCK_HELD &&
		    ((state == HOST_LOCK_LEFT && is_of_run(made, since)) ||
			made < time(NULL) - EXPORT_OLD_S);
	return 0;
}

static int
look_at_export(struct doctor *doctor, const struct backup_subject *of,
    const json_t *object, struct error *err)
{
	const struct export export = {doctor, of, json_text(object, "name")};
	auto_free char *subject = NULL;
	auto_free char *what = NULL;
	bool left = false;

	if (export_is_left(doctor->client, of, object, &left, err) < 0)
		return -1;
	if (!left)
		return 0;
	subject = backup_subject_text(of, err);
	if (subject == NULL)
		return -1;
	what = text_format(err, _("the export '%s' of '%s/%s'"), export.name,
	    of->project, subject);
	if (what == NULL)
		return -1;
	return deal_with(doctor,
	    &(struct leftover){
		"leftover-export", what, take_export_away, &export},
	    err);
}

static int
look_at_subject(
    struct doctor *doctor, const struct backup_subject *of, struct error *err)
{
	auto_json json_t *exports = NULL;
	const json_t *one;
	size_t i;

	if (incus_backup_list(doctor->client, of, &exports, err) < 0) {
		/* Gone meanwhile. */
		if (err->code != ERROR_NOT_FOUND)
			return -1;
		error_clear(err);
		return 0;
	}
	json_array_foreach(exports, i, one)
	{
		if (look_at_export(doctor, of, one, err) < 0)
			return -1;
	}
	return 0;
}

/* One that cannot be looked at does not hide the others: its failure is kept in
 * *first. */
static int
look_past_failure(struct doctor *doctor, const struct backup_subject *of,
    struct error *first, struct error *err)
{
	if (look_at_subject(doctor, of, err) == 0)
		return 0;
	if (interrupt_seen() || err->code == ERROR_UNREACHABLE)
		return -1;
	if (!error_is_set(first))
		*first = *err;
	error_clear(err);
	return 0;
}

static int
look_at_volumes(struct doctor *doctor, struct error *first, struct error *err)
{
	auto_json json_t *volumes = NULL;
	const json_t *one;
	size_t i;

	if (incus_volume_list(doctor->client, &volumes, err) < 0)
		return -1;
	json_array_foreach(volumes, i, one)
	{
		struct backup_subject volume = {
		    .project = json_text(one, "project"),
		    .pool = json_text(one, "pool"),
		    .name = json_text(one, "name"),
		};

		if (volume.project != NULL && volume.name != NULL &&
		    look_past_failure(doctor, &volume, first, err) < 0)
			return -1;
	}
	return 0;
}

int
doctor_left_exports(struct doctor *doctor, struct error *err)
{
	auto_instance_names struct instance_names names = {0};
	struct error first = {0};

	if (incus_list_names(doctor->client, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		struct backup_subject of = backup_subject_of(&names.items[i]);

		if (look_past_failure(doctor, &of, &first, err) < 0)
			return -1;
	}
	if (look_at_volumes(doctor, &first, err) < 0)
		return -1;
	*err = first;
	return error_is_set(err) ? -1 : 0;
}

/* The prefix, so many digits, and nothing else: such a name can be no path. */
static bool
is_made_of(const char *name, const char *prefix, size_t digits)
{
	return name != NULL && text_starts_with(name, prefix) &&
	       strlen(name) == strlen(prefix) + digits &&
	       strspn(name + strlen(prefix), "0123456789abcdef") == digits;
}

/* A drill's project. */
struct drill_left {
	struct doctor *doctor;
	const char *project;
};

static int
take_drill_away(const void *data, struct error *err)
{
	const struct drill_left *drill = data;

	return drill_sweep_remove(drill->doctor->client, drill->project, err);
}

static int
look_at_drill(struct doctor *doctor, const char *project, struct error *err)
{
	const struct drill_left drill = {doctor, project};
	auto_free char *what = NULL;
	enum host_lock_state state;

	if (host_lock_look(project, &state, err) < 0)
		return -1;
	if (state == HOST_LOCK_HELD)
		return 0;
	if (state == HOST_LOCK_UNKNOWN) {
		struct error unknown = {0};

		error_set(&unknown, ERROR_FAILED,
		    _("'%s' is left of a drill that this host knows nothing "
		      "of: if it is over, delete it"),
		    project);
		error_hint_command(&unknown, "incus", "project", "delete",
		    "--force", project, NULL);
		findings_add(
		    doctor->findings, "leftover-drill", FINDING_NOTE, &unknown);
		return 0;
	}
	what = text_format(err, _("the project '%s' of a drill"), project);
	if (what == NULL)
		return -1;
	return deal_with(doctor,
	    &(struct leftover){"leftover-drill", what, take_drill_away, &drill},
	    err);
}

int
doctor_left_drills(struct doctor *doctor, struct error *err)
{
	auto_json json_t *projects = NULL;
	const json_t *one;
	size_t i;

	if (scratch_project_list(
		doctor->client, INSTANCE_DRILL_PREFIX, &projects, err) < 0)
		return -1;
	json_array_foreach(projects, i, one)
	{
		const char *name = json_text(one, "name");

		if (is_made_of(name, INSTANCE_DRILL_PREFIX, DRILL_DIGITS) &&
		    look_at_drill(doctor, name, err) < 0)
			return -1;
	}
	return 0;
}

/* Never deleted here: only a person knows whether it is wanted. */
static void
look_at_name(struct doctor *doctor, const struct instance_ref *ref)
{
	struct error what = {0};

	if (is_made_of(
		ref->name, REPLACEMENT_ASIDE_PREFIX, REPLACEMENT_NAME_DIGITS))
		error_set(&what, ERROR_FAILED,
		    _("'%s/%s' is an instance that a restore was to replace; "
		      "unless one is going on, look at it, then rename or "
		      "delete it"),
		    ref->project, ref->name);
	else if (is_made_of(ref->name, REPLACEMENT_BESIDE_PREFIX,
		     REPLACEMENT_NAME_DIGITS))
		error_set(&what, ERROR_FAILED,
		    _("'%s/%s' is what a restore was to put in the place of "
		      "another; unless one is going on, look at it, then "
		      "rename or delete it"),
		    ref->project, ref->name);
	else
		return;
	error_hint_command(
	    &what, "incus", "info", ref->name, "--project", ref->project, NULL);
	error_hint_command(&what, "incus", "delete", ref->name, "--project",
	    ref->project, NULL);
	findings_add(
	    doctor->findings, "leftover-instance", FINDING_PROBLEM, &what);
}

int
doctor_left_instances(struct doctor *doctor, struct error *err)
{
	auto_instance_names struct instance_names names = {0};

	if (incus_list_names(doctor->client, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		look_at_name(doctor, &names.items[i]);
	return 0;
}
