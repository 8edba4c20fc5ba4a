#include "transfer/create_many.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/project.h"
#include "store/archive.h"
#include "store/directory_lock.h"
#include "store/host_lock.h"
#include "store/mount_point.h"
#include "transfer/attached_volumes.h"
#include "transfer/create_jobs.h"
#include "transfer/create_keys.h"
#include "transfer/describe.h"
#include "transfer/host_description.h"
#include "transfer/verbose.h"
#include "transfer/watch.h"

void
create_many_result_clear(struct create_many_result *result)
{
	json_decref(result->backups);
	json_decref(result->left_out);
	*result = (struct create_many_result){0};
}

/* Processors that this process may use. */
static size_t
processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return (size_t)CPU_COUNT(&set);
}

/* Where all of it goes is there. */
static int
prepare_directory(const struct create_request *each, struct error *err)
{
	if ((each->require_mount != NULL &&
		mount_point_check(each->require_mount, err) < 0) ||
	    archive_check_directory(each->output, each->make_output, err) < 0)
		return -1;
	return each->dry_run ? 0 : archive_make_directory(each->output, err);
}

/* A name for the directory, however it is spelled. Heap. */
static char *
lock_name(const struct stat *directory, struct error *err)
{
	return text_format(err, "create-%llx-%llx",
	    (unsigned long long)directory->st_dev,
	    (unsigned long long)directory->st_ino);
}

/* Shared ones once. */
static json_t *
find_volumes(const struct create_many_request *request,
    struct incus_client *client, const struct create_choice *choice,
    const json_t *projects, struct error *err)
{
	auto_json json_t *volumes = json_array();

	if (volumes == NULL) {
		error_set_memory(err);
		return NULL;
	}
	for (size_t i = 0; request->each.volumes && i < choice->count; i++) {
		if (attached_volumes_add(client, choice->about[i],
			project_in(projects, choice->instances[i].project),
			volumes, err) < 0)
			return NULL;
	}
	return steal(volumes);
}

static int
say_what_would_be(const struct create_many_request *request,
    const struct create_choice *choice, const json_t *volumes,
    const struct watch *watch)
{
	const json_t *one;
	size_t i;

	json_array_foreach(volumes, i, one)
	{
		const struct backup_subject volume =
		    attached_volume_subject(one);

		watch_note(watch, _("would back up '%s/%s/%s' to '%s/%s'"),
		    volume.project, volume.pool, volume.name,
		    request->each.output, volume.project);
	}
	for (i = 0; i < choice->count; i++)
		watch_note(watch, _("would back up '%s/%s' to '%s/%s'"),
		    choice->instances[i].project, choice->instances[i].name,
		    request->each.output, choice->instances[i].project);
	return 0;
}

static int
judge(const json_t *backups, const struct error *undescribed,
    const struct watch *watch, struct error *err)
{
	size_t failed = 0;
	const json_t *one;
	size_t i;

	json_array_foreach(backups, i, one)
	{
		failed += json_number(one, "status") != 0;
	}
	if (interrupt_check(err) < 0)
		return -1;
	if (error_is_set(undescribed) && failed > 0)
		watch_note(watch, "%s", undescribed->text);
	if (error_is_set(undescribed) && failed == 0)
		return error_set(err, ERROR_PARTIAL, "%s", undescribed->text);
	if (failed == 0)
		return 0;
	return error_set(err, ERROR_PARTIAL, _("%zu of %zu backups failed"),
	    failed, json_array_size(backups));
}

/* Once for all of them; what is doubtful about the keys is said once, too. */
static int
find_keys(const struct create_many_request *request, const struct watch *watch,
    struct create_keys *keys, struct error *err)
{
	auto_json json_t *warnings = NULL;
	const json_t *one;
	size_t i;

	if (create_keys_find(&request->each, keys, err) < 0)
		return -1;
	warnings =
	    describe_key_warnings(&keys->recipients, time(NULL), true, err);
	if (warnings == NULL)
		return -1;
	json_array_foreach(warnings, i, one)
	{
		watch_note(watch, "%s", json_string_value(one));
	}
	return 0;
}

/* A run over the whole host also says what else there is; when that fails, the
 * backups are made all the same. */
static void
describe_host(const struct create_many_request *request,
    struct incus_client *client, const struct create_keys *keys,
    struct error *failure)
{
	if (!request->choice.all || request->choice.within != NULL)
		return;
	if (host_description_write(client, request->each.output,
		&keys->recipients, time(NULL), failure) < 0)
		error_prefix(
		    failure, _("the host's description could not be written"));
}

static int
run_locked(const struct create_jobs_request *request, const struct watch *watch,
    json_t *backups, struct error *err)
{
	auto_create_keys struct create_keys keys = {0};
	struct create_jobs_request jobs = *request;
	struct error undescribed = {0};

	if (find_keys(jobs.many, watch, &keys, err) < 0)
		return -1;
	jobs.keys = &keys;
	describe_host(jobs.many, jobs.client, &keys, &undescribed);
	if (create_jobs_run(&jobs, watch, backups, err) < 0)
		return -1;
	return judge(backups, &undescribed, watch, err);
}

/* One run of the kind fills a directory at a time: two would make two archives
 * of everything. Nobody takes archives away meanwhile. */
static int
run_alone(struct create_jobs_request *jobs, const struct watch *watch,
    json_t *backups, struct error *err)
{
	const struct create_request *each = &jobs->many->each;
	auto_free char *name = NULL;
	auto_close int in = -1;
	int lock;
	int result;

	if (stat(each->output, &jobs->directory) < 0)
		return error_set_errno(
		    err, errno, _("cannot open '%s'"), each->output);
	name = lock_name(&jobs->directory, err);
	if (name == NULL)
		return -1;
	in = directory_lock_take(each->output, false, each->lock_wait_ms, err);
	lock = in >= 0 ? host_lock_take(name, each->lock_wait_ms, err) : -1;
	if (in < 0 || (lock < 0 && host_lock_is_refused(err))) {
		if (err->code == ERROR_LOCKED)
			error_hint(err, _("--lock-wait 1h waits for it"));
		return -1;
	}
	if (lock < 0) {
		watch_note(
		    watch, _("not locked against other runs: %s"), err->text);
		error_clear(err);
	}
	result = run_locked(jobs, watch, backups, err);
	if (lock >= 0)
		host_lock_drop(name, lock);
	return result;
}

/* "self" is the member that answers; without a cluster there is no other. */
static int
choose_member(struct incus_client *client, struct create_choice_request *wanted,
    struct error *err)
{
	const struct incus_server *server;

	if (wanted->member == NULL || strcmp(wanted->member, "self") != 0)
		return 0;
	server = incus_client_server(client, err);
	if (server == NULL)
		return -1;
	wanted->member = server->clustered ? server->name : NULL;
	return 0;
}

int
create_many(const struct create_many_request *request,
    const struct watch *watch, struct create_many_result *ret_result,
    struct error *err)
{
	auto_client struct incus_client *client = NULL;
	auto_create_choice struct create_choice choice = {0};
	auto_json json_t *projects = NULL;
	auto_json json_t *volumes = NULL;
	struct create_choice_request wanted = request->choice;
	struct create_jobs_request jobs = {
	    .many = request,
	    .choice = &choice,
	    .jobs = request->jobs > 0 ? request->jobs : processors(),
	};

	client = incus_client_open(request->each.timeout_s, err);
	if (client == NULL)
		return -1;
	verbose_daemon(watch, client);
	if (choose_member(client, &wanted, err) < 0 ||
	    create_choose(client, &wanted, watch, &choice, err) < 0 ||
	    prepare_directory(&request->each, err) < 0)
		return -1;
	if (incus_project_list(client, &projects, err) < 0)
		return -1;
	volumes = find_volumes(request, client, &choice, projects, err);
	if (volumes == NULL)
		return -1;
	jobs.client = client;
	jobs.projects = projects;
	jobs.volumes = volumes;
	ret_result->backups = json_array();
	ret_result->left_out = json_incref(choice.left_out);
	if (ret_result->backups == NULL)
		return error_set_memory(err);
	if (request->each.dry_run)
		return say_what_would_be(request, &choice, volumes, watch);
	return run_alone(&jobs, watch, ret_result->backups, err);
}
