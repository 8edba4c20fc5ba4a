#include "transfer/copy_run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/client.h"
#include "transfer/copy.h"
#include "transfer/copy_tree.h"

void
copy_run_clear(struct copy *copy)
{
	for (size_t i = 0;
	     copy->sources != NULL && i < copy->request->source_count; i++)
		copy_end_clear(&copy->sources[i]);
	free(copy->sources);
	copy_end_clear(&copy->destination);
	copy_policy_clear(&copy->policy);
	incus_client_free(copy->client);
}

int
copy_run_parse(struct copy *copy, struct error *err)
{
	const struct copy_request *request = copy->request;

	copy->sources = calloc(request->source_count, sizeof(copy->sources[0]));
	if (copy->sources == NULL)
		return error_set_memory(err);
	if (location_parse(
		request->destination, &copy->destination.location, err) < 0)
		return -1;
	copy->destination.text = request->destination;
	if (request->verify &&
	    copy->destination.location.kind == LOCATION_STDIO)
		return error_set(err, ERROR_USAGE,
		    _("--verify: what goes to standard output cannot be read "
		      "back"));

	for (size_t i = 0; i < request->source_count; i++) {
		copy->sources[i].text = request->sources[i];
		if (location_parse(request->sources[i],
			&copy->sources[i].location, err) < 0)
			return -1;
		if (copy->sources[i].location.kind == LOCATION_STDIO &&
		    request->source_count > 1)
			return error_set(err, ERROR_USAGE,
			    _("standard input can only be the one source"));
	}
	if (copy->destination.location.kind == LOCATION_STDIO &&
	    request->source_count > 1)
		return error_set(err, ERROR_USAGE,
		    _("only one file can go to standard output"));
	return 0;
}

/* How much of a path is an instance's name, with or without its project, before
 * a "/"; 0 when it is not. */
static size_t
instance_in_path(const struct instance_ref *one, const char *path)
{
	size_t project = strlen(one->project);
	size_t before = 0;

	if (strncmp(path, one->project, project) == 0 && path[project] == '/')
		before = project + 1;
	for (;; before = 0) {
		size_t length = before + strlen(one->name);

		if (text_starts_with(path + before, one->name) &&
		    path[length] == '/')
			return length;
		if (before == 0)
			return 0;
	}
}

/* "web/etc/hosts" is how `incus file` spells a place in an instance; here it is
 * a local path, unless nothing local begins like it. */
static int
check_spelling(const struct copy_end *end, const struct instance_names *names,
    struct error *err)
{
	const char *path = end->location.path;
	size_t length;
	auto_free char *first = NULL;
	auto_free char *place = NULL;
	struct error ignored = {0};

	if (end->location.kind != LOCATION_LOCAL)
		return 0;
	length = strcspn(path, "/");
	if (length == 0 || path[length] == '\0')
		return 0;
	first = text_copy(path, length, err);
	if (first == NULL)
		return -1;
	if (access(first, F_OK) == 0)
		return 0;
	for (size_t i = 0; i < names->count; i++) {
		length = instance_in_path(&names->items[i], path);
		if (length == 0)
			continue;
		error_set(err, ERROR_USAGE,
		    _("'%s' is a local path; an instance is followed by ':'"),
		    path);
		place = text_format(
		    &ignored, "%.*s:%s", (int)length, path, path + length);
		return error_hint_command(err, place, NULL);
	}
	return 0;
}

static int
resolve_end(struct copy *copy, struct copy_end *end,
    const struct instance_names *names, struct error *err)
{
	const struct instance_word *word = &end->location.instance;

	if (check_spelling(end, names, err) < 0)
		return -1;
	if (end->location.kind != LOCATION_INSTANCE)
		return 0;
	return instance_names_find(names, word->project, word->name,
	    copy->request->project, &end->instance, err);
}

static bool
has_instance(const struct copy *copy)
{
	bool found = copy->destination.location.kind == LOCATION_INSTANCE;

	for (size_t i = 0; i < copy->request->source_count; i++)
		found |= copy->sources[i].location.kind == LOCATION_INSTANCE;
	return found;
}

static int
no_instance(const struct copy *copy, struct error *err)
{
	error_set(err, ERROR_USAGE,
	    _("neither '%s' nor '%s' is in an instance"), copy->sources[0].text,
	    copy->destination.text);
	return error_hint(err, _("a place in an instance is spelled "
				 "[PROJECT/]INSTANCE:/ABSOLUTE/PATH"));
}

int
copy_run_resolve(struct copy *copy, struct error *err)
{
	auto_instance_names struct instance_names names = {0};

	copy->client = incus_client_open(copy->request->timeout_s, err);
	if (copy->client == NULL && !has_instance(copy)) {
		error_clear(err);
		return no_instance(copy, err);
	}
	if (copy->client == NULL ||
	    incus_list_names(copy->client, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < copy->request->source_count; i++) {
		if (resolve_end(copy, &copy->sources[i], &names, err) < 0)
			return -1;
	}
	if (resolve_end(copy, &copy->destination, &names, err) < 0)
		return -1;
	return has_instance(copy) ? 0 : no_instance(copy, err);
}

const char *
copy_run_name(const struct copy_end *end)
{
	const char *path = end->location.path;
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;

	return slash != NULL ? slash + 1 : path;
}

struct named {
	char *name; /* owned; "" goes in without one */
	const struct copy_end *end;
};

static int
compare_names(const void *a, const void *b)
{
	const struct named *one = a;
	const struct named *other = b;

	return strcmp(one->name, other->name);
}

static int
find_twins(
    const struct copy *copy, const struct named *sorted, struct error *err)
{
	for (size_t i = 1; i < copy->request->source_count; i++) {
		const struct named *one = &sorted[i - 1];
		const struct named *other = &sorted[i];

		if (*one->name != '\0' && strcmp(one->name, other->name) == 0)
			return error_set(err, ERROR_USAGE,
			    _("'%s' and '%s' would get the same name in '%s'"),
			    one->end->text, other->end->text,
			    copy->destination.text);
	}
	return 0;
}

/* In one directory there is one file of a name; "a/" is called "a". */
static int
check_names(const struct copy *copy, struct error *err)
{
	size_t count = copy->request->source_count;
	auto_free struct named *sorted = calloc(count, sizeof(sorted[0]));
	int result = 0;

	if (sorted == NULL)
		return error_set_memory(err);
	for (size_t i = 0; i < count && result == 0; i++) {
		sorted[i].end = &copy->sources[i];
		sorted[i].name = copy_tree_name(&copy->sources[i], err);
		result = sorted[i].name != NULL ? 0 : -1;
	}
	if (result == 0) {
		qsort(sorted, count, sizeof(sorted[0]), compare_names);
		result = find_twins(copy, sorted, err);
	}
	for (size_t i = 0; i < count; i++)
		free(sorted[i].name);
	return result;
}

int
copy_run_check_destination(struct copy *copy, struct error *err)
{
	int is_directory;

	if (copy->request->source_count < 2)
		return 0;
	if (check_names(copy, err) < 0 ||
	    copy_end_connect(copy->client, &copy->destination, err) < 0)
		return -1;
	is_directory = copy_end_is_directory(&copy->destination, err);
	if (is_directory == 0)
		return error_set(err, ERROR_USAGE,
		    _("'%s' is not a directory, as several sources want it"),
		    copy->destination.text);
	return is_directory < 0 ? -1 : 0;
}

int
copy_run_open(struct copy *copy, struct copy_end *source, struct error *err)
{
	struct copy_end *destination = &copy->destination;

	if (copy_end_connect(copy->client, source, err) < 0 ||
	    copy_end_connect(copy->client, destination, err) < 0 ||
	    copy_end_ready(source, err) < 0 ||
	    copy_end_ready(destination, err) < 0)
		return -1;
	return copy_end_look_ahead(destination, err);
}
