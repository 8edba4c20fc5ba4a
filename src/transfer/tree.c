#include "transfer/tree.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "stream/stream.h"
#include "transfer/copy.h"
#include "transfer/tree_batch.h"
#include "transfer/tree_end.h"
#include "transfer/tree_steps.h"
#include "transfer/watch.h"

struct tree {
	const struct tree_request *request;
	struct copy_result *result;
	struct tree_batch *batch;
	struct tree_steps steps;

	/* The directories whose content is being listed, and where each stands
	 * below the top. */
	struct batch_directory open[DIRECTORY_BATCH_MAX];
	char *paths[DIRECTORY_BATCH_MAX];
	size_t open_count;
};

char *
tree_below(const char *top, const char *path, struct error *err)
{
	const char *slash = text_ends_with(top, "/") ? "" : "/";

	if (*path == '\0')
		return text_copy(top, strlen(top), err);
	if (strcmp(top, ".") == 0)
		return text_copy(path, strlen(path), err);
	return text_format(err, "%s%s%s", top, slash, path);
}

void
tree_choose_arrival(
    const struct tree_request *request, struct batch_directory *directory)
{
	const struct file_facts *facts = &directory->facts;

	directory->mode = facts->mode & 01777U & ~request->umask;
	directory->uid = request->keep_owner ? facts->uid : request->uid;
	directory->gid = request->keep_owner ? facts->gid : request->gid;
	if (request->copy->uid >= 0)
		directory->uid = request->copy->uid;
	if (request->copy->gid >= 0)
		directory->gid = request->copy->gid;
}

void
tree_choose_leaving(
    const struct tree_request *request, struct batch_directory *directory)
{
	directory->mode = directory->facts.mode & 01777U & ~request->umask;
	directory->uid = request->copy->uid;
	directory->gid = request->copy->gid;
}

void
tree_note_failure(const struct tree_request *request,
    const struct error *failure, struct copy_result *result)
{
	if (result->failed++ == 0)
		result->failure = failure->code;
	watch_note(request->watch, "%s", failure->text);
}

static const char *
kind_of(uint32_t mode)
{
	if (S_ISFIFO(mode))
		return _("a FIFO");
	if (S_ISSOCK(mode))
		return _("a socket");
	return _("a device");
}

void
tree_skip_special(const struct tree_request *request, const char *path,
    uint32_t mode, struct copy_result *result)
{
	result->skipped++;
	watch_note(request->watch, _("skipped: '%s%s' is %s"),
	    request->source->label, path, kind_of(mode));
}

static const char *
path_of(const struct tree *tree, const struct batch_directory *in)
{
	return tree->paths[in - tree->open];
}

/* 1 when the policy lets it pass; 0 when it is noted that it does not. */
static int
may_pass(struct tree *tree, const char *path, struct error *err)
{
	const struct tree_request *request = tree->request;
	struct error denial = {0};

	if (request->judge == NULL ||
	    request->judge(request->judge_data, path, &denial) == 0)
		return 1;
	if (denial.code == ERROR_DENIED) {
		tree_note_failure(tree->request, &denial, tree->result);
		return 0;
	}
	*err = denial;
	return -1;
}

static int
add_file(struct tree *tree, const struct batch_directory *in, const char *name,
    const struct file_facts *facts, struct error *err)
{
	auto_free char *from = tree_below(in->from, name, err);
	auto_free char *to = tree_below(in->to, name, err);

	if (from == NULL || to == NULL)
		return -1;
	if (!S_ISREG(facts->mode) && !S_ISLNK(facts->mode)) {
		tree_skip_special(
		    tree->request, from, facts->mode, tree->result);
		return 0;
	}
	return tree_batch_add(
	    tree->batch, steal(from), steal(to), facts, in->existed, err);
}

/* A directory waits; a file goes into the batch. */
static int
take(void *data, struct batch_directory *in, const char *name,
    const struct file_facts *facts, struct error *err)
{
	struct tree *tree = data;
	const char *parent = path_of(tree, in);
	auto_free char *path = *parent == '\0'
				   ? text_copy(name, strlen(name), err)
				   : text_format(err, "%s/%s", parent, name);
	int passes = path != NULL ? may_pass(tree, path, err) : -1;

	if (passes <= 0)
		return passes;
	if (!S_ISDIR(facts->mode))
		return add_file(tree, in, name, facts, err);
	if (tree_steps_push(&tree->steps, steal(path), false, facts, err) < 0)
		return error_prefix(
		    err, "'%s%s'", tree->request->source->label, in->from);
	return 0;
}

/* How the directory is to be on arrival. */
static int
open_step(struct tree *tree, struct tree_step *step, struct error *err)
{
	const struct tree_request *request = tree->request;
	struct batch_directory *directory = &tree->open[tree->open_count];

	*directory = (struct batch_directory){
	    .from = tree_below(request->from, step->path, err),
	    .to = tree_below(request->to, step->path, err),
	    .facts = step->facts,
	};
	tree_choose_arrival(request, directory);
	tree->paths[tree->open_count++] = steal(step->path);
	return directory->from != NULL && directory->to != NULL ? 0 : -1;
}

static void
close_steps(struct tree *tree)
{
	for (size_t i = 0; i < tree->open_count; i++) {
		batch_directory_clear(&tree->open[i]);
		free(tree->paths[i]);
	}
	tree->open_count = 0;
}

/* The top decides whether there is a tree at all. */
static int
judge_directory(struct tree *tree, size_t i, struct error *err)
{
	const struct batch_directory *directory = &tree->open[i];

	if (!error_is_set(&directory->failure))
		return 0;
	if (*tree->paths[i] == '\0') {
		*err = directory->failure;
		return -1;
	}
	tree_note_failure(tree->request, &directory->failure, tree->result);
	return 0;
}

/* Below a step that is to be left stands what is in it. */
static int
push_leaving(struct tree *tree, size_t i, struct error *err)
{
	const struct batch_directory *directory = &tree->open[i];
	const char *path = tree->paths[i];

	if (directory->existed || error_is_set(&directory->failure))
		return 0;
	return tree_steps_push(&tree->steps, text_copy(path, strlen(path), err),
	    true, &directory->facts, err);
}

/* Make some directories, and list what is in them. */
static int
enter(struct tree *tree, struct error *err)
{
	const struct tree_request *request = tree->request;
	const struct tree_step *next;

	while (tree->open_count < DIRECTORY_BATCH_MAX &&
	       (next = tree_steps_next(&tree->steps)) != NULL &&
	       !next->leaving) {
		struct tree_step step = tree_steps_pop(&tree->steps);

		if (open_step(tree, &step, err) < 0)
			return -1;
	}
	if (tree_end_make(request->target, tree->open, tree->open_count, err) <
	    0)
		return -1;
	for (size_t i = 0; i < tree->open_count; i++) {
		if (push_leaving(tree, i, err) < 0)
			return -1;
	}
	if (tree_end_list(request->source, tree->open, tree->open_count, take,
		tree, err) < 0)
		return -1;
	for (size_t i = 0; i < tree->open_count; i++) {
		if (judge_directory(tree, i, err) < 0)
			return -1;
	}
	close_steps(tree);
	return 0;
}

/* Its times are set when the last file that waits has arrived. */
static int
leave(struct tree *tree, struct error *err)
{
	struct tree_step step = tree_steps_pop(&tree->steps);
	auto_free char *path = step.path;
	struct batch_directory directory = {.facts = step.facts};

	tree_choose_leaving(tree->request, &directory);
	directory.to = tree_below(tree->request->to, path, err);
	if (directory.to == NULL)
		return -1;
	return tree_batch_leave(tree->batch, &directory, err);
}

static int
walk(struct tree *tree, struct error *err)
{
	const struct tree_step *next;

	if (tree_steps_push(&tree->steps, text_copy("", 0, err), false,
		&tree->request->top, err) < 0)
		return -1;
	while ((next = tree_steps_next(&tree->steps)) != NULL) {
		if ((next->leaving ? leave(tree, err) : enter(tree, err)) < 0)
			return -1;
	}
	if (tree_batch_flush(tree->batch, err) < 0)
		return -1;
	return tree_end_sync(tree->request->target, err);
}

int
tree_copy(const struct tree_request *request, struct copy_result *result,
    struct error *err)
{
	struct tree tree = {.request = request, .result = result};
	int status = -1;

	tree.batch = tree_batch_new(request, result, err);
	if (tree.batch != NULL)
		status = walk(&tree, err);
	close_steps(&tree);
	tree_steps_clear(&tree.steps);
	tree_batch_free(tree.batch);
	return status;
}
