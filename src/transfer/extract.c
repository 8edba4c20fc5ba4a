#include "transfer/extract.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/local_file.h"
#include "stream/stream.h"
#include "transfer/audited_run.h"
#include "transfer/backup_view.h"
#include "transfer/extract_run.h"
#include "transfer/tree.h"
#include "transfer/watch.h"

/* One pass ----------------------------------------------------------------- */

/* What was in this pass, and neither there nor a link to elsewhere. */
static int
note_missing(struct extract *run, struct copy_result *result, struct error *err)
{
	for (size_t i = 0; i < run->tops.count; i++) {
		struct extract_top *top = &run->tops.items[i];
		struct error failure = {0};

		if (!top->taken || top->done || top->next != NULL)
			continue;
		top->done = true;
		error_set(&failure, ERROR_NOT_FOUND, _("'%s' is not in '%s'"),
		    top->path, run->archive);
		if (run->request->path_count == 1) {
			*err = failure;
			return -1;
		}
		if (result->failed++ == 0)
			result->failure = failure.code;
		watch_note(run->watch, "%s", failure.text);
	}
	return 0;
}

/* Owner and mode on arrival: design, section 4. */
static struct tree_request
tree_request(struct extract *run, struct tree_end *source)
{
	bool to_instance = run->target.end.session != NULL;

	return (struct tree_request){
	    .copy = &run->copy,
	    .watch = run->watch,
	    .source = source,
	    .target = &run->target.end,
	    .from = "",
	    .to = run->target.to,
	    .keep_owner = to_instance,
	    .uid = -1,
	    .gid = -1,
	    .umask = to_instance ? 0 : local_umask(),
	};
}

static int
extract_to_tree(struct extract *run, struct backup_view *view,
    struct copy_result *result, struct error *err)
{
	struct extract_judge judge = extract_run_judge(run);
	struct tree_end source = {
	    .members = view->members,
	    .label = text_format(err, "%s:", run->archive),
	};
	struct tree_request request = tree_request(run, &source);
	int status = -1;

	if (source.label != NULL)
		status = extract_tree(
		    &request, &judge, view, &run->tops, result, err);
	tree_end_clear(&source);
	return status;
}

/* Standard output ---------------------------------------------------------- */

static int
print_content(
    struct backup_view *view, struct copy_result *result, struct error *err)
{
	auto_stream struct stream *body =
	    backup_members_content(view->members, err);
	uint64_t size_bytes = 0;

	if (body == NULL ||
	    stream_write_fd(body, STDOUT_FILENO, "-", &size_bytes, err) < 0)
		return -1;
	result->copied = 1;
	result->size_bytes = size_bytes;
	return 0;
}

/* Its content has passed already, under its other name. */
static int
go_back(struct extract_top *top, const struct backup_member *member,
    struct error *err)
{
	free(top->next);
	top->next = text_copy(member->link, strlen(member->link), err);
	return top->next != NULL ? 0 : -1;
}

static int
print_member(struct extract *run, struct backup_view *view,
    const struct backup_member *member, struct copy_result *result,
    struct error *err)
{
	struct extract_judge judge = extract_run_judge(run);
	struct extract_top *top = &run->tops.items[0];

	if (member->type == TAR_SYMLINK)
		return extract_tops_follow(&run->tops, member, err);
	if (member->type == TAR_HARD_LINK && *member->link != '\0')
		return go_back(top, member, err);
	top->done = true;
	if (member->type == TAR_DIRECTORY)
		return error_set(err, ERROR_USAGE,
		    _("a directory cannot go to standard output"));
	if (member->type != TAR_FILE)
		return error_set(err, ERROR_FAILED,
		    _("'%s' is not a regular file"), member->path);
	if (judge.judge != NULL &&
	    judge.judge(judge.data, member->path, "-", err) < 0)
		return -1;
	return print_content(view, result, err);
}

static int
extract_to_stdout(struct extract *run, struct backup_view *view,
    struct copy_result *result, struct error *err)
{
	const struct backup_member *member;
	int found;

	while ((found = backup_view_next(view, &member, err)) > 0) {
		if (print_member(run, view, member, result, err) < 0)
			return -1;
	}
	return found;
}

/* All passes --------------------------------------------------------------- */

static int
pass(struct extract *run, const char *const *paths, size_t count,
    struct copy_result *result, struct error *err)
{
	auto_backup_view struct backup_view view = {0};
	const struct backup_wish wish = {
	    .snapshot = run->request->snapshot,
	    .paths = paths,
	    .path_count = count,
	    .content = true,
	};
	int status;

	if (backup_view_open(&view, run->archive, &wish, run->watch, err) < 0)
		return -1;
	status = run->destination.location.kind == LOCATION_STDIO
		     ? extract_to_stdout(run, &view, result, err)
		     : extract_to_tree(run, &view, result, err);
	if (status < 0)
		return -1;
	run->stopped_early |= backup_members_stopped_early(view.members);
	return note_missing(run, result, err);
}

static int
pass_until_done(
    struct extract *run, struct copy_result *result, struct error *err)
{
	int status = 0;

	while (status == 0) {
		auto_free const char **paths =
		    calloc(run->tops.count, sizeof(paths[0]));
		size_t count;

		if (paths == NULL)
			return error_set_memory(err);
		count = extract_tops_choose(&run->tops, paths);
		if (count == 0)
			break;
		status = pass(run, paths, count, result, err);
	}
	return status;
}

/* A failure that has a status of its own keeps it where nothing else was asked
 * for: a full disk, the policy. */
static enum error_code
status_of(const struct extract *run, const struct copy_result *result)
{
	bool alone = run->request->path_count == 1 && result->failed == 1 &&
		     result->copied == 0;

	return alone && result->failure != ERROR_FAILED ? result->failure
							: ERROR_PARTIAL;
}

static int
judge_result(const struct extract *run, const struct copy_result *result,
    struct error *err)
{
	if (result->failed > 0)
		return error_set(err, status_of(run, result),
		    _("%zu of %zu files were not extracted"), result->failed,
		    result->failed + result->copied);
	if (result->skipped > 0)
		return error_set(err, ERROR_PARTIAL, _("files skipped: %zu"),
		    result->skipped);
	return 0;
}

static void
say_what_would_be(const struct extract *run)
{
	for (size_t i = 0; i < run->tops.count; i++)
		watch_note(run->watch,
		    _("would extract '%s' from '%s' to '%s'"),
		    run->tops.items[i].typed, run->archive,
		    run->destination.text);
}

static int
extract(struct extract *run, struct copy_result *result, struct error *err)
{
	int status;

	if (extract_run_ask(run, err) < 0)
		return -1;
	if (run->request->dry_run) {
		say_what_would_be(run);
		return 0;
	}
	if (extract_run_open(run, err) < 0)
		return -1;
	watch_start(run->watch, run->archive, 0);
	status = pass_until_done(run, result, err);
	watch_stop(run->watch);
	if (run->stopped_early && !run->proven)
		backup_view_note_early(run->archive, run->watch);
	return status == 0 ? judge_result(run, result, err) : -1;
}

static void
audit_places(const struct extract *run, struct audited_run *audit)
{
	const struct audited_place to = copy_end_audited(&run->destination);

	for (size_t i = 0; i < run->tops.count; i++) {
		struct error ignored = {0};
		auto_free char *path = text_format(&ignored, "%s:%s",
		    run->archive != NULL ? run->archive : run->request->backup,
		    run->tops.items[i].path);
		struct audited_place from = {
		    .snapshot = run->request->snapshot, .path = path};

		audited_run_from(audit, &from);
	}
	audited_run_to(audit, &to);
}

int
extract_files(const struct extract_request *request, const struct watch *watch,
    struct copy_result *ret_result, struct error *err)
{
	struct extract run = {.request = request, .watch = watch};
	struct audited_run audit = {
	    .command = "backup extract", .dry_run = request->dry_run};
	int status = extract_run_parse(&run, err);

	*ret_result = (struct copy_result){0};
	if (status == 0) {
		status = extract_run_resolve(&run, err);
		audit_places(&run, &audit);
	}
	if (status == 0)
		status = audited_run_check(
		    &audit, policy_set_requires_audit(&run.policy.set), err);
	if (status == 0)
		(void)extract(&run, ret_result, err);
	audit.done = ret_result->copied;
	audit.failed = error_is_set(err) && ret_result->failed == 0
			   ? request->path_count
			   : ret_result->failed;
	audit.size_bytes = ret_result->size_bytes;
	audit.rule = run.policy.rule;
	status = audited_run_end(&audit, watch, err);
	extract_run_clear(&run);
	return status;
}
