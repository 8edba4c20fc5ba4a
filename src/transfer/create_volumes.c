#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "transfer/attached_volumes.h"
#include "transfer/create.h"
#include "transfer/create_run.h"
#include "transfer/watch.h"

/* Where its archive is. */
static int
write_down(json_t *volume, const json_t *manifest, struct error *err)
{
	if (json_object_set(
		volume, "archive", json_object_get(manifest, "archive")) < 0 ||
	    json_object_set(
		volume, "sha256", json_object_get(manifest, "sha256")) < 0)
		return error_set_memory(err);
	return 0;
}

/* Next to the instance's archive, with its keys. */
static int
back_up(struct create *create, json_t *volume, struct error *err)
{
	struct backup_subject subject = attached_volume_subject(volume);
	const struct create_known known = {
	    .client = create->client, .keys = create->keys};
	struct create_request one = *create->request;
	struct create_result made = {0};
	int result;

	one.instance = NULL;
	one.found = NULL;
	one.volume = &subject;
	one.known = &known;
	result = create_backup(&one, create->watch, &made, err);
	if (result < 0)
		return error_hint(
		    err, _("--volumes none leaves attached volumes out"));
	if (made.manifest != NULL)
		result = write_down(volume, made.manifest, err);
	if (result == 0 && made.path != NULL)
		watch_note(create->watch, _("the volume '%s/%s/%s' is in '%s'"),
		    subject.project, subject.pool, subject.name, made.path);
	create_result_clear(&made);
	return result;
}

/* What another process has made of them. */
static void
take(struct create *create, json_t *volume)
{
	const json_t *made =
	    attached_volume_find(create->request->known->volumes, volume);
	struct error ignored = {0};

	if (made != NULL && json_text(made, "sha256") != NULL)
		(void)write_down(volume, made, &ignored);
}

int
create_volumes(struct create *create, struct error *err)
{
	const struct create_request *request = create->request;
	json_t *volume;
	size_t i;

	if (request->volume != NULL)
		return 0;
	create->volumes = json_array();
	if (create->volumes == NULL)
		return error_set_memory(err);
	if (attached_volumes_add(create->client, create->about, create->project,
		create->volumes, err) < 0)
		return -1;
	if (!request->volumes || export_is_to_stdout(request->output))
		return 0;
	json_array_foreach(create->volumes, i, volume)
	{
		if (create_is_of_many(create))
			take(create, volume);
		else if (back_up(create, volume, err) < 0)
			return -1;
	}
	return 0;
}
