#include "transfer/drill_sweep.h"

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "incus/instance.h"
#include "incus/scratch_project.h"
#include "store/host_lock.h"
#include "transfer/watch.h"

int
drill_sweep_remove(
    struct incus_client *client, const char *project, struct error *err)
{
	if (scratch_project_remove(client, project, err) < 0)
		return -1;
	host_lock_forget(project);
	return 0;
}

static int
sweep_one(struct incus_client *client, const char *project,
    const struct watch *watch, struct error *err)
{
	enum host_lock_state state;

	if (host_lock_look(project, &state, err) < 0)
		return -1;
	switch (state) {
	case HOST_LOCK_HELD:
		return 0;
	case HOST_LOCK_UNKNOWN:
		watch_note(watch,
		    _("'%s' is left of a drill that this host knows nothing "
		      "of: if it is over, delete it"),
		    project);
		return 0;
	case HOST_LOCK_LEFT:
		break;
	}
	if (drill_sweep_remove(client, project, err) < 0)
		return error_prefix(err,
		    _("cannot take away '%s', which a drill has left"),
		    project);
	watch_note(watch, _("took away '%s', which a drill had left"), project);
	return 0;
}

int
drill_sweep(
    struct incus_client *client, const struct watch *watch, struct error *err)
{
	auto_json json_t *projects = NULL;
	const json_t *one;
	size_t i;

	if (scratch_project_list(
		client, INSTANCE_DRILL_PREFIX, &projects, err) < 0)
		return -1;
	json_array_foreach(projects, i, one)
	{
		if (sweep_one(client, json_text(one, "name"), watch, err) < 0)
			return -1;
	}
	return 0;
}
