#include "transfer/restore_run.h"

#include "base/error.h"
#include "base/i18n.h"
#include "transfer/preflight.h"
#include "transfer/restore.h"
#include "transfer/restore_guard.h"
#include "transfer/restore_target.h"
#include "transfer/restrictions.h"

/* The streams of a storage driver are for its own tools to take apart, as root:
 * nobody has looked into them before. */
static int
check_content(const struct restore *restore, struct error *err)
{
	const struct backup_index *index = &restore->source.index;

	if (!index->optimized || restore->leave.all)
		return 0;
	error_set(err, ERROR_UNSAFE,
	    _("the archive is optimized for '%s': what is in it cannot be "
	      "examined"),
	    index->driver);
	return error_hint(err, "--allow-unsafe");
}

/* A stranger's archive does not give the host away. Whose it is, is presumed
 * until its digest is known: only what needs to be trusted waits for that. */
int
restore_check_host_keys(struct restore *restore, struct error *err)
{
	const struct restore_request *request = restore->request;
	struct host_keys_leave *leave = &restore->leave;

	if (restore->name.replacement.exists &&
	    incus_instance_get(
		restore->client, &restore->target, &restore->replaced, err) < 0)
		return -1;
	*leave = (struct host_keys_leave){
	    .all = request->allow_unsafe,
	    .allowed = request->allowed,
	    .allowed_count = request->allowed_count,
	    .same_as = restore->replaced,
	};
	if (check_content(restore, err) == 0 &&
	    restore_guard_index(&restore->source.index,
		restore->missing.profiles, leave, err) == 0)
		return 0;
	if (err->code != ERROR_UNSAFE ||
	    provenance_entry(&restore->source.provenance) == NULL)
		return -1;
	error_clear(err);
	restore->presumed = true;
	leave->all = true;
	return 0;
}

static struct preflight_request
preflight_request(struct restore *restore)
{
	const json_t *manifest = restore->source.provenance.manifest;

	return (struct preflight_request){
	    .project = restore->target.project,
	    .storage = restore->pool != NULL ? restore->pool
					     : restore->request->storage,
	    .coming = restore->volumes,
	    .own_volumes = restore->missing.own_volumes,
	    .tar_size_bytes = (uint64_t)json_number(manifest, "tar_size_bytes"),
	    .missing =
		restore->request->create_missing ? &restore->missing : NULL,
	};
}

int
restore_check_needs(struct restore *restore, struct error *err)
{
	struct preflight_request request = preflight_request(restore);

	return preflight_check(
	    restore->client, &restore->source.index, &request, err);
}

static int
check_restrictions(struct restore *restore, struct error *err)
{
	return restrictions_check(restore->client, restore->target.project,
	    &restore->source.index, err);
}

static int
check_kind(struct restore *restore, struct error *err)
{
	return preflight_check_kind(
	    restore->client, &restore->source.index, err);
}

int
restore_check_space(struct restore *restore, struct error *err)
{
	struct preflight_request request = preflight_request(restore);

	return preflight_check_space(restore->client, &restore->source.index,
	    &request, restore->watch, err);
}

static int
check_name(struct restore *restore, struct error *err)
{
	restore->name = (struct restore_name){
	    .request = restore->request,
	    .watch = restore->watch,
	    .client = restore->client,
	    .index = &restore->source.index,
	    .target = &restore->target,
	};
	return restore_name_check(&restore->name, err);
}

/* Whether the other questions still have an answer. */
static bool
is_finding(const struct error *one)
{
	return one->code == ERROR_NOT_FOUND || one->code == ERROR_EXISTS ||
	       one->code == ERROR_DENIED || one->code == ERROR_NO_SPACE ||
	       one->code == ERROR_UNSAFE;
}

/* All that would go wrong is one report; what is missing gives its status, for
 * nothing else can be put right before. */
int
restore_look_at_all(
    struct restore *restore, const restore_check *checks, struct error *err)
{
	struct error all = {0};

	for (size_t i = 0; checks[i] != NULL; i++) {
		struct error one = {0};

		if (checks[i](restore, &one) == 0)
			continue;
		if (!is_finding(&one)) {
			*err = one;
			return -1;
		}
		error_join(&all, &one);
	}
	if (!error_is_set(&all))
		return 0;
	*err = all;
	return error_prefix(err, _("cannot restore '%s'"), restore->file);
}

int
restore_look(struct restore *restore, struct error *err)
{
	static const restore_check checks[] = {
	    restore_check_needs,
	    check_restrictions,
	    check_kind,
	    check_name,
	    restore_check_space,
	    restore_check_host_keys,
	    NULL,
	};

	if (restore_target_choose(restore->request, restore->file,
		&restore->source, &restore->target, &restore->presumed,
		err) < 0 ||
	    restore_volumes_plan(restore, err) < 0 ||
	    restore_look_at_all(restore, checks, err) < 0)
		return -1;
	return restore_name_confirm(&restore->name, err);
}
