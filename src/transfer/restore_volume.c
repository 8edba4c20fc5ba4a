#include <stdlib.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "incus/backup.h"
#include "incus/client.h"
#include "incus/project.h"
#include "incus/volume.h"
#include "transfer/host_keys.h"
#include "transfer/restore.h"
#include "transfer/restore_guard.h"
#include "transfer/restore_run.h"
#include "transfer/restore_target.h"

struct backup_subject
restore_volume_subject(const struct restore *restore)
{
	return (struct backup_subject){
	    .project = restore->target.project,
	    .pool = restore->pool,
	    .name = restore->target.name,
	};
}

/* A project without volumes of its own shows those of "default". One that is
 * yet to be made gets its own: it had them, or the archive would be of another.
 */
static int
find_holder(struct restore *restore, struct error *err)
{
	auto_json json_t *project = NULL;
	const char *holder;
	int found = incus_project_get(
	    restore->client, restore->target.project, &project, err);

	if (found < 0)
		return -1;
	restore->missing.own_volumes = true;
	if (found == 0)
		return 0;
	holder = project_holder(
	    project, restore->target.project, "features.storage.volumes");
	if (holder == restore->target.project)
		return 0;
	free(restore->target.project);
	restore->target.project = text_format(err, "%s", holder);
	return restore->target.project != NULL ? 0 : -1;
}

/* What has it attached has it open: it is not replaced. */
static int
check_free(struct restore *restore, struct error *err)
{
	const struct backup_subject volume = restore_volume_subject(restore);
	auto_json json_t *about = NULL;
	int found = incus_volume_get(restore->client, &volume, &about, err);

	if (found <= 0)
		return found;
	error_set(err, ERROR_EXISTS, _("'%s/%s/%s' exists already"),
	    volume.project, volume.pool, volume.name);
	if (restore->request->force)
		error_hint(err, _("--force does not replace a volume, which "
				  "may be in use"));
	return error_hint(err, _("--name gives the restored one another name"));
}

int
restore_volume_look(struct restore *restore, struct error *err)
{
	static const restore_check checks[] = {
	    restore_check_needs,
	    check_free,
	    restore_check_space,
	    restore_check_host_keys,
	    NULL,
	};

	if (restore->request->start && !restore->request->among_many)
		return error_set(err, ERROR_USAGE,
		    _("'%s' holds a volume: there is nothing to start"),
		    restore->file);
	if (restore_target_choose(restore->request, restore->file,
		&restore->source, &restore->target, &restore->presumed,
		err) < 0)
		return -1;
	restore->pool = restore_target_pool(
	    restore->request, &restore->source, &restore->presumed, err);
	if (restore->pool == NULL || find_holder(restore, err) < 0)
		return -1;
	return restore_look_at_all(restore, checks, err);
}

/* Not what the archive says of itself counts, but what the daemon has made of
 * it. */
static int
check_made(struct restore *restore, const struct backup_subject *volume,
    struct error *err)
{
	auto_json json_t *about = NULL;
	int found = incus_volume_get(restore->client, volume, &about, err);

	if (found < 0)
		return -1;
	if (found == 0)
		return error_set(err, ERROR_FAILED,
		    _("the daemon says that the volume was made, and does not "
		      "have it"));
	return restore_guard_object(about, &restore->leave, err);
}

int
restore_volume_import(
    struct restore *restore, struct stream *data, struct error *err)
{
	const struct backup_subject volume = restore_volume_subject(restore);

	if (incus_backup_import_volume(restore->client, &volume, data, err) < 0)
		return error_prefix(
		    err, _("cannot restore '%s'"), restore->file);
	if (check_made(restore, &volume, err) == 0 && interrupt_check(err) == 0)
		return 0;
	interrupt_shield_up();
	incus_volume_discard(restore->client, &volume, err);
	interrupt_shield_down();
	return -1;
}
