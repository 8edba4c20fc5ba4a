#include "transfer/extract_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/client.h"
#include "store/local_path.h"
#include "stream/stream.h"
#include "transfer/backup_source.h"
#include "transfer/backup_word.h"
#include "transfer/extract.h"
#include "transfer/inner_path.h"
#include "transfer/tree.h"

void
extract_run_clear(struct extract *run)
{
	extract_tops_clear(&run->tops);
	tree_target_clear(&run->target);
	copy_end_clear(&run->source);
	copy_end_clear(&run->destination);
	copy_policy_clear(&run->policy);
	incus_client_free(run->client);
	free(run->archive);
	free(run->source_text);
}

/* Words -------------------------------------------------------------------- */

static int
parse_path(struct extract *run, const char *typed, struct error *err)
{
	char *path = inner_path(typed, err);

	return path == NULL ? -1
			    : extract_tops_add(&run->tops, typed, path,
				  text_copy("", 0, err), err);
}

static const char *
last_component(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* In one directory there is one file of a name. */
static int
check_names(const struct extract *run, struct error *err)
{
	const struct extract_top *tops = run->tops.items;

	for (size_t i = 0; i < run->tops.count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(last_component(tops[i].path),
				last_component(tops[k].path)) == 0)
				return error_set(err, ERROR_USAGE,
				    _("'%s' and '%s' would get the same name "
				      "in '%s'"),
				    tops[k].typed, tops[i].typed,
				    run->destination.text);
		}
	}
	return 0;
}

int
extract_run_parse(struct extract *run, struct error *err)
{
	const struct extract_request *request = run->request;

	run->copy = (struct copy_request){
	    .sources = request->paths,
	    .source_count = request->path_count,
	    .destination = request->destination,
	    .recursive = true,
	    .create_directories = request->create_directories,
	    .no_clobber = request->no_clobber,
	    .keep_setuid = request->keep_setuid,
	    .uid = -1,
	    .gid = -1,
	    .mode = -1,
	};
	run->destination.text = request->destination;
	if (location_parse(
		request->destination, &run->destination.location, err) < 0)
		return -1;
	for (size_t i = 0; i < request->path_count; i++) {
		if (parse_path(run, request->paths[i], err) < 0)
			return -1;
	}
	if (run->destination.location.kind == LOCATION_STDIO &&
	    request->path_count > 1)
		return error_set(err, ERROR_USAGE,
		    _("only one file can go to standard output"));
	return check_names(run, err);
}

/* Names -------------------------------------------------------------------- */

static int
find_instance(struct extract *run, struct error *err)
{
	const struct instance_word *word = &run->destination.location.instance;
	auto_instance_names struct instance_names names = {0};

	if (incus_list_names(run->client, &names, err) < 0)
		return -1;
	return instance_names_find(&names, word->project, word->name,
	    run->request->project, &run->destination.instance, err);
}

int
extract_run_resolve(struct extract *run, struct error *err)
{
	const struct extract_request *request = run->request;
	const struct backup_search search = {request->from, request->project};
	bool to_instance = run->destination.location.kind == LOCATION_INSTANCE;

	if (backup_word_find(
		request->backup, &search, run->watch, &run->archive, err) < 0 ||
	    copy_policy_init(&run->policy, NULL, err) < 0)
		return -1;
	if (!to_instance && !copy_policy_in_force(&run->policy))
		return 0;
	run->client = incus_client_open(request->timeout_s, err);
	run->policy.client = run->client;
	if (run->client == NULL)
		return -1;
	return to_instance ? find_instance(run, err) : 0;
}

/* Proof -------------------------------------------------------------------- */

/* A file on our own side, unless it is known whose it is. A volume's name has a
 * "/", so that no rule takes it for an instance. */
static int
be_of(
    struct extract *run, const struct backup_source *proven, struct error *err)
{
	const json_t *entry = provenance_entry(&proven->provenance);
	const char *project = json_text(entry, "project");
	char *name;
	char origin[ORIGIN_TEXT_BYTES];

	if (project == NULL || provenance_origin(&proven->provenance,
				   &proven->digest, origin) != ORIGIN_THIS_HOST)
		return 0;
	name = backup_index_subject(&proven->index, err);
	run->source.location.kind = LOCATION_INSTANCE;
	run->source.instance = (struct instance_ref){
	    .project = text_copy(project, strlen(project), err),
	    .name = name,
	};
	if (name == NULL)
		return -1;
	free(run->source_text);
	run->source_text = text_format(
	    err, "%s/%s:%s", project, name, run->tops.items[0].path);
	return run->source.instance.project != NULL && run->source_text != NULL
		   ? 0
		   : -1;
}

/* Read all of it, once more than is needed for its files. */
static int
prove(struct extract *run, struct error *err)
{
	auto_backup_source struct backup_source source = {0};
	struct digest tar = {0};
	struct stream *data =
	    backup_source_open(&source, run->archive, run->watch, err);

	if (data == NULL)
		return -1;
	if (digest_of(data, &tar, err) < 0 ||
	    backup_source_check(&source, false, err) < 0)
		return error_prefix(err, "'%s'", run->archive);
	run->proven = true;
	return be_of(run, &source, err);
}

static int
know_source(struct extract *run, struct error *err)
{
	run->source.location.kind = LOCATION_LOCAL;
	run->source_text = text_copy(run->archive, strlen(run->archive), err);
	if (run->source_text == NULL)
		return -1;
	if ((run->request->verify || copy_policy_in_force(&run->policy)) &&
	    prove(run, err) < 0)
		return -1;
	run->source.text = run->source_text;
	return 0;
}

/* Places ------------------------------------------------------------------- */

/* Where the path of a file is judged: in the archive's instance, or where the
 * archive lies. Heap. */
static char *
judged_from(const struct extract *run, const char *from, struct error *err)
{
	if (run->source.location.kind == LOCATION_INSTANCE)
		return text_copy(from, strlen(from), err);
	return local_path_resolve(run->archive, err);
}

static char *
judged_to(const struct extract *run, const char *to, struct error *err)
{
	auto_free char *whole = NULL;

	if (run->destination.location.kind != LOCATION_LOCAL)
		return text_copy(to, strlen(to), err);
	whole = text_format(err, "%s%s", run->target.end.label, to);
	return whole != NULL ? local_path_resolve(whole, err) : NULL;
}

static int
judge(void *data, const char *from, const char *to, struct error *err)
{
	struct extract *run = data;
	auto_free char *from_path = judged_from(run, from, err);
	auto_free char *to_path =
	    from_path != NULL ? judged_to(run, to, err) : NULL;

	if (to_path == NULL)
		return -1;
	return copy_policy_judge(&run->policy, &run->source, &run->destination,
	    from_path, to_path, err);
}

struct extract_judge
extract_run_judge(struct extract *run)
{
	if (!copy_policy_in_force(&run->policy))
		return (struct extract_judge){0};
	return (struct extract_judge){judge, run};
}

/* In a directory under its own name, else under the name that was typed. */
static int
place_tops(struct extract *run, struct error *err)
{
	for (size_t i = 0; i < run->tops.count; i++) {
		struct extract_top *top = &run->tops.items[i];

		free(top->to);
		top->to = run->target.inside
			      ? tree_below(run->target.to,
				    last_component(top->path), err)
			      : text_copy(run->target.to,
				    strlen(run->target.to), err);
		if (top->to == NULL)
			return -1;
	}
	return 0;
}

/* The policy has the first word, before anything is made. */
static int
ask_policy(struct extract *run, struct error *err)
{
	if (!copy_policy_in_force(&run->policy))
		return 0;
	for (size_t i = 0; i < run->tops.count; i++) {
		const char *path = run->tops.items[i].path;
		const char *name = last_component(path);
		auto_free char *from = judged_from(run, path, err);

		if (from == NULL || copy_policy_ask(&run->policy, &run->source,
					&run->destination, from,
					*name != '\0' ? name : NULL, err) < 0)
			return -1;
	}
	return 0;
}

int
extract_run_ask(struct extract *run, struct error *err)
{
	if (know_source(run, err) < 0 ||
	    copy_end_connect(run->client, &run->destination, err) < 0 ||
	    copy_end_ready(&run->destination, err) < 0)
		return -1;
	return ask_policy(run, err);
}

int
extract_run_open(struct extract *run, struct error *err)
{
	if (run->destination.location.kind == LOCATION_STDIO)
		return 0;
	if (tree_target_find(
		&run->destination, "", &run->copy, true, &run->target, err) < 0)
		return -1;
	return place_tops(run, err);
}
