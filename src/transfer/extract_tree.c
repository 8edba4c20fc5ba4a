#include "transfer/extract_tree.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "transfer/backup_view.h"
#include "transfer/copy.h"
#include "transfer/extract_tops.h"
#include "transfer/tree.h"
#include "transfer/tree_batch.h"
#include "transfer/tree_end.h"
#include "transfer/tree_steps.h"
#include "transfer/watch.h"

/* Names that wait for the file they are names of. */
#define NAMES_MAX 256

/* Each wants the archive to be read again: more are not looked for. */
#define OTHERS_MAX 64

struct name {
	char *file;
	char *to;
};

struct pass {
	const struct tree_request *request;
	const struct extract_judge *judge;
	struct backup_view *view;
	struct extract_tops *tops;
	struct copy_result *result;
	struct tree_batch *batch;

	/* The directories that lead to where we are; `path` is at the target.
	 * `leaving`: it was made, and gets its time when all has arrived. */
	struct tree_steps open;
	struct name names[NAMES_MAX];
	size_t name_count;
	size_t other_count;
};

/* Directories -------------------------------------------------------------- */

static int
enter(struct pass *pass, const char *to, const struct file_facts *facts,
    struct error *err)
{
	struct batch_directory directory = {
	    .from = text_copy("", 0, err),
	    .to = text_copy(to, strlen(to), err),
	    .facts = *facts,
	};
	int result = -1;

	tree_choose_arrival(pass->request, &directory);
	if (directory.from != NULL && directory.to != NULL)
		result =
		    tree_end_make(pass->request->target, &directory, 1, err);
	if (result == 0 && error_is_set(&directory.failure))
		tree_note_failure(
		    pass->request, &directory.failure, pass->result);
	else if (result == 0)
		result = tree_steps_push(&pass->open, steal(directory.to),
		    !directory.existed, facts, err);
	batch_directory_clear(&directory);
	return result;
}

/* Names -------------------------------------------------------------------- */

static void
clear_names(struct pass *pass)
{
	for (size_t i = 0; i < pass->name_count; i++) {
		free(pass->names[i].file);
		free(pass->names[i].to);
	}
	pass->name_count = 0;
}

/* Their files have to be there first. */
static int
give_names(struct pass *pass, struct error *err)
{
	const struct tree_request *request = pass->request;

	if (pass->name_count == 0)
		return 0;
	if (tree_batch_flush(pass->batch, err) < 0)
		return -1;
	for (size_t i = 0; i < pass->name_count; i++) {
		const struct name *name = &pass->names[i];
		struct error failure = {0};

		if (tree_end_link(
			request->target, name->file, name->to, &failure) == 0) {
			pass->result->copied++;
			continue;
		}
		if (tree_end_broken(request->target)) {
			*err = failure;
			return -1;
		}
		tree_note_failure(pass->request, &failure, pass->result);
	}
	clear_names(pass);
	return 0;
}

/* Where the file of a hard link has gone in this pass; NULL with err clear
 * where it has not. Heap. */
static char *
place_of(const struct extract_top *top, const char *path, struct error *err)
{
	size_t length = strlen(top->path);

	if (!backup_wish_holds(top->path, path))
		return NULL;
	path += length;
	path += *path == '/';
	return tree_below(top->to, path, err);
}

/* Its content has passed, or is not of what was asked for. */
static int
ask_again(struct pass *pass, const struct backup_member *member, const char *to,
    struct error *err)
{
	struct error failure = {0};

	if (pass->other_count++ < OTHERS_MAX && *member->link != '\0')
		return extract_tops_add(pass->tops, NULL,
		    text_copy(member->link, strlen(member->link), err),
		    text_copy(to, strlen(to), err), err);
	error_set(&failure, ERROR_NOT_FOUND,
	    _("'%s' is the same file as '%s', which was not asked for"),
	    member->path, member->link);
	tree_note_failure(pass->request, &failure, pass->result);
	return 0;
}

static int
take_name(struct pass *pass, const struct extract_top *top,
    const struct backup_member *member, const char *to, struct error *err)
{
	char *file = NULL;

	/* What is there already may be kept, and is another file then. */
	if (!pass->request->copy->no_clobber)
		file = place_of(top, member->link, err);
	if (file == NULL)
		return error_is_set(err) ? -1
					 : ask_again(pass, member, to, err);
	pass->names[pass->name_count] =
	    (struct name){file, text_copy(to, strlen(to), err)};
	if (pass->names[pass->name_count++].to == NULL)
		return -1;
	return pass->name_count == NAMES_MAX ? give_names(pass, err) : 0;
}

/* The way back ------------------------------------------------------------- */

static int
leave(struct pass *pass, struct error *err)
{
	struct tree_step step = tree_steps_pop(&pass->open);
	struct batch_directory directory = {
	    .to = step.path, .facts = step.facts};

	if (!step.leaving) {
		free(step.path);
		return 0;
	}
	/* A name that comes later would change its time. */
	if (give_names(pass, err) < 0) {
		free(step.path);
		return -1;
	}
	tree_choose_leaving(pass->request, &directory);
	return tree_batch_leave(pass->batch, &directory, err);
}

static bool
lies_in(const char *directory, const char *path)
{
	size_t length = strlen(directory);

	if (strcmp(directory, ".") == 0 || strcmp(directory, "/") == 0)
		return true;
	return strncmp(path, directory, length) == 0 && path[length] == '/';
}

/* Leave all that `to` is not in. */
static int
leave_others(struct pass *pass, const char *to, struct error *err)
{
	const struct tree_step *step;

	while ((step = tree_steps_next(&pass->open)) != NULL &&
	       !lies_in(step->path, to)) {
		if (leave(pass, err) < 0)
			return -1;
	}
	return 0;
}

static int
leave_all(struct pass *pass, struct error *err)
{
	while (tree_steps_next(&pass->open) != NULL) {
		if (leave(pass, err) < 0)
			return -1;
	}
	return 0;
}

/* Members ------------------------------------------------------------------ */

static uint32_t
type_bits(enum tar_type type)
{
	switch (type) {
	case TAR_DIRECTORY:
		return S_IFDIR;
	case TAR_SYMLINK:
		return S_IFLNK;
	case TAR_CHARACTER_DEVICE:
	case TAR_BLOCK_DEVICE:
		return S_IFCHR;
	case TAR_FIFO:
		return S_IFIFO;
	case TAR_FILE:
	case TAR_HARD_LINK:
	case TAR_PAX:
		break;
	}
	return S_IFREG;
}

static struct file_facts
facts_of(const struct pass *pass, const struct backup_member *member)
{
	const struct owner_map *owners = &pass->view->owners;

	return (struct file_facts){
	    .mode = type_bits(member->type) | member->mode,
	    .uid = owner_map_uid(owners, member->uid),
	    .gid = owner_map_gid(owners, member->gid),
	    .size_bytes = member->size_bytes,
	    .atime_s = member->mtime_s,
	    .mtime_s = member->mtime_s,
	};
}

/* 1 when the policy lets it pass; 0 when it is noted that it does not. */
static int
may_pass(struct pass *pass, const char *from, const char *to, struct error *err)
{
	const struct extract_judge *judge = pass->judge;
	struct error denial = {0};

	if (judge->judge == NULL ||
	    judge->judge(judge->data, from, to, &denial) == 0)
		return 1;
	if (denial.code == ERROR_DENIED) {
		tree_note_failure(pass->request, &denial, pass->result);
		return 0;
	}
	*err = denial;
	return -1;
}

static int
put(struct pass *pass, const struct extract_top *top,
    const struct backup_member *member, const char *to, struct error *err)
{
	const struct tree_step *parent;
	struct file_facts facts = facts_of(pass, member);

	if (leave_others(pass, to, err) < 0)
		return -1;
	if (S_ISDIR(facts.mode))
		return enter(pass, to, &facts, err);
	if (member->type == TAR_HARD_LINK)
		return take_name(pass, top, member, to, err);
	if (!S_ISREG(facts.mode) && !S_ISLNK(facts.mode)) {
		tree_skip_special(
		    pass->request, member->path, facts.mode, pass->result);
		return 0;
	}
	parent = tree_steps_next(&pass->open);
	pass->request->source->member = member;
	return tree_batch_add(pass->batch,
	    text_copy(member->path, strlen(member->path), err),
	    text_copy(to, strlen(to), err), &facts,
	    parent == NULL || !parent->leaving, err);
}

static int
take(struct pass *pass, const struct backup_member *member, struct error *err)
{
	struct extract_top *top;
	const char *below;
	auto_free char *to = NULL;
	int passes;

	if (member->pick == PICK_WAY)
		return extract_tops_follow(pass->tops, member, err);
	top = extract_tops_of(pass->tops, member);
	below = member->path + strlen(top->path);
	below += *below == '/';
	if (strcmp(top->path, "/") == 0)
		below = member->path + 1;
	if (*below == '\0' && member->type == TAR_SYMLINK)
		return extract_tops_follow(pass->tops, member, err);
	top->done = true;
	to = tree_below(top->to, below, err);
	passes = to != NULL ? may_pass(pass, member->path, to, err) : -1;
	return passes > 0 ? put(pass, top, member, to, err) : passes;
}

static int
take_all(struct pass *pass, struct error *err)
{
	const struct backup_member *member;
	int found;

	while ((found = backup_view_next(pass->view, &member, err)) > 0) {
		if (take(pass, member, err) < 0)
			return -1;
	}
	return found;
}

/* What is there of a whole archive is worth having, also when the archive turns
 * out to be damaged: what has come by is written. */
static int
finish(struct pass *pass, int status, struct error *err)
{
	struct error failure = {0};

	if (give_names(pass, &failure) < 0 || leave_all(pass, &failure) < 0 ||
	    tree_batch_flush(pass->batch, &failure) < 0 ||
	    tree_end_sync(pass->request->target, &failure) < 0) {
		if (status == 0)
			*err = failure;
		return -1;
	}
	return status;
}

int
extract_tree(const struct tree_request *request,
    const struct extract_judge *judge, struct backup_view *view,
    struct extract_tops *tops, struct copy_result *result, struct error *err)
{
	struct pass pass = {
	    .request = request,
	    .judge = judge,
	    .view = view,
	    .tops = tops,
	    .result = result,
	};
	int status = -1;

	pass.batch = tree_batch_new(request, result, err);
	if (pass.batch != NULL) {
		status = take_all(&pass, err);
		/* Without a way to the target nothing can be finished. */
		if (status == 0 || err->code == ERROR_DAMAGED)
			status = finish(&pass, status, err);
	}
	clear_names(&pass);
	tree_steps_clear(&pass.open);
	tree_batch_free(pass.batch);
	return status;
}
