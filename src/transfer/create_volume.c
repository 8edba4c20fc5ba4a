#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "incus/client.h"
#include "incus/instance_state.h"
#include "incus/volume.h"
#include "transfer/attached_volumes.h"
#include "transfer/create.h"
#include "transfer/create_run.h"

/* Whether one that has it attached runs; one that has gone does not. */
static int
look_at_user(struct create *create, const struct instance_ref *user,
    json_t **ret_about, struct error *err)
{
	if (incus_instance_get(create->client, user, ret_about, err) < 0) {
		if (err->code != ERROR_NOT_FOUND)
			return -1;
		error_clear(err);
		return 0;
	}
	create->running |= instance_is_running(*ret_about);
	return 0;
}

/* Only one that alone has it attached could be frozen for it. */
static int
look_at_users(struct create *create, struct error *err)
{
	auto_instance_names struct instance_names users = {0};

	if (incus_volume_users(create->about, &users, err) < 0)
		return -1;
	if (users.count == 1) {
		if (look_at_user(create, &users.items[0],
			&create->instance_about, err) < 0)
			return -1;
		create->instance = users.items[0];
		users.items[0] = (struct instance_ref){0};
		return 0;
	}
	for (size_t i = 0; i < users.count; i++) {
		auto_json json_t *about = NULL;

		if (look_at_user(create, &users.items[i], &about, err) < 0)
			return -1;
	}
	return 0;
}

static int
check_content(const struct create *create, struct error *err)
{
	const char *type = json_text(create->about, "content_type");

	if (type != NULL && attached_volume_is_type(type))
		return 0;
	return error_set(err, ERROR_USAGE,
	    _("the volume '%s/%s/%s' is of type '%s': it is not backed up"),
	    create->subject.project, create->subject.pool, create->subject.name,
	    type != NULL ? type : "");
}

int
create_find_volume(struct create *create, struct error *err)
{
	const struct backup_subject *volume = create->request->volume;
	int found;

	create->subject = *volume;
	if (create_open_client(create, err) < 0)
		return -1;
	found = incus_volume_get(create->client, volume, &create->about, err);
	if (found == 0)
		return error_set(err, ERROR_NOT_FOUND,
		    _("volume not found: '%s/%s/%s'"), volume->project,
		    volume->pool, volume->name);
	if (found < 0 || check_content(create, err) < 0)
		return -1;
	return look_at_users(create, err);
}
