#include "transfer/create_choice.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/client.h"
#include "transfer/location.h"
#include "transfer/name_glob.h"
#include "transfer/watch.h"

/* A pattern for both halves of a name. */
struct pattern {
	char *project; /* NULL: any */
	char *name;
};

/* One choice on its way. */
struct choosing {
	const struct create_choice_request *request;
	const struct watch *watch;
	struct create_choice *choice;
	struct instance_names names; /* of `choice->known`, in its order */
	bool *taken;
	bool *noted; /* as left out */
};

void
create_choice_clear(struct create_choice *choice)
{
	for (size_t i = 0; i < choice->count; i++)
		instance_ref_clear(&choice->instances[i]);
	free(choice->instances);
	free(choice->about);
	json_decref(choice->known);
	json_decref(choice->left_out);
	*choice = (struct create_choice){0};
}

bool
create_choice_is_pattern(const char *word)
{
	return strpbrk(word, "*?[") != NULL;
}

static void
pattern_clear(struct pattern *pattern)
{
	free(pattern->project);
	free(pattern->name);
}

static int
pattern_parse(const char *word, const char *project,
    struct pattern *ret_pattern, struct error *err)
{
	const char *slash = strchr(word, '/');

	if (!name_glob_is_valid(word) ||
	    (slash != NULL && strchr(slash + 1, '/') != NULL))
		return error_set(
		    err, ERROR_USAGE, _("'%s' is no pattern"), word);
	if (slash != NULL)
		ret_pattern->project =
		    text_copy(word, (size_t)(slash - word), err);
	else if (project != NULL)
		ret_pattern->project = text_copy(project, strlen(project), err);
	word = slash != NULL ? slash + 1 : word;
	ret_pattern->name = text_copy(word, strlen(word), err);
	return error_is_set(err) ? -1 : 0;
}

static bool
pattern_fits(const struct pattern *pattern, const struct instance_ref *instance)
{
	return (pattern->project == NULL ||
		   name_glob_matches(pattern->project, instance->project)) &&
	       name_glob_matches(pattern->name, instance->name);
}

/* They become names of ours. */
static bool
is_file_name(const char *name)
{
	return name != NULL && *name != '\0' && *name != '.' &&
	       strchr(name, '/') == NULL;
}

static int
list_names(struct choosing *choosing, struct error *err)
{
	const json_t *known = choosing->choice->known;
	struct instance_names *names = &choosing->names;
	const json_t *one;
	size_t i;

	names->items =
	    calloc(json_array_size(known) + 1, sizeof(*names->items));
	if (names->items == NULL)
		return error_set_memory(err);
	json_array_foreach(known, i, one)
	{
		struct instance_ref *item = &names->items[names->count++];
		const char *project = json_text(one, "project");
		const char *name = json_text(one, "name");

		if (!is_file_name(project) || !is_file_name(name))
			return error_set(err, ERROR_FAILED,
			    _("the daemon lists an instance as '%s/%s'"),
			    project != NULL ? project : "",
			    name != NULL ? name : "");
		item->project = text_copy(project, strlen(project), err);
		item->name = text_copy(name, strlen(name), err);
		if (item->project == NULL || item->name == NULL)
			return -1;
	}
	return 0;
}

char *
create_choice_reason_against(const json_t *about, struct error *err)
{
	const char *project = json_text(about, "project");
	const char *said = json_text(
	    json_object_get(about, "expanded_config"), CREATE_CHOICE_KEY);

	if (text_starts_with(project, INSTANCE_DRILL_PREFIX))
		return text_format(err, "%s", _("it is a drill's"));
	if (json_flag(about, "ephemeral"))
		return text_format(err, "%s", _("it is ephemeral"));
	if (said != NULL && text_starts_with(said, "no"))
		return text_format(err, "%s = %s", CREATE_CHOICE_KEY, said);
	return NULL;
}

static int
leave_out(
    struct choosing *choosing, size_t i, const char *reason, struct error *err)
{
	const struct instance_ref *instance = &choosing->names.items[i];

	if (choosing->noted[i])
		return 0;
	choosing->noted[i] = true;
	watch_note(choosing->watch, _("left out: '%s/%s': %s"),
	    instance->project, instance->name, reason);
	if (json_array_append_new(choosing->choice->left_out,
		json_pack("{s:s, s:s, s:o}", "project", instance->project,
		    "instance", instance->name, "reason",
		    json_string_escaped(reason))) < 0)
		return error_set_memory(err);
	return 0;
}

static bool
is_on_member(const struct choosing *choosing, const json_t *about)
{
	const char *wanted = choosing->request->member;
	const char *location = json_text(about, "location");

	return wanted == NULL ||
	       (location != NULL && strcmp(location, wanted) == 0);
}

static int
add_pattern(struct choosing *choosing, const char *word, struct error *err)
{
	const json_t *known = choosing->choice->known;
	struct pattern pattern = {0};
	size_t fitting = 0;
	int result =
	    pattern_parse(word, choosing->request->within, &pattern, err);

	for (size_t i = 0; result == 0 && i < choosing->names.count; i++) {
		const json_t *about = json_array_get(known, i);
		auto_free char *reason = NULL;

		if (!pattern_fits(&pattern, &choosing->names.items[i]) ||
		    !is_on_member(choosing, about))
			continue;
		fitting++;
		reason = create_choice_reason_against(about, err);
		if (reason != NULL)
			result = leave_out(choosing, i, reason, err);
		else
			choosing->taken[i] = true;
		if (error_is_set(err))
			result = -1;
	}
	pattern_clear(&pattern);
	if (result == 0 && fitting == 0)
		return error_set(
		    err, ERROR_NOT_FOUND, _("no instance matches '%s'"), word);
	return result;
}

static int
add_name(struct choosing *choosing, const char *text, struct error *err)
{
	auto_instance_word struct instance_word word = {0};
	auto_instance_ref struct instance_ref found = {0};

	if (instance_word_parse(text, &word, err) < 0 ||
	    instance_names_find(&choosing->names, word.project, word.name,
		choosing->request->project, &found, err) < 0)
		return -1;
	for (size_t i = 0; i < choosing->names.count; i++) {
		const struct instance_ref *one = &choosing->names.items[i];

		if (strcmp(one->project, found.project) == 0 &&
		    strcmp(one->name, found.name) == 0)
			choosing->taken[i] = true;
	}
	return 0;
}

static int
exclude(struct choosing *choosing, const char *word, struct error *err)
{
	struct pattern pattern = {0};
	int result = pattern_parse(word, NULL, &pattern, err);

	for (size_t i = 0; result == 0 && i < choosing->names.count; i++) {
		if (pattern_fits(&pattern, &choosing->names.items[i]))
			choosing->taken[i] = false;
	}
	pattern_clear(&pattern);
	return result;
}

static int
choose(struct choosing *choosing, struct error *err)
{
	const struct create_choice_request *request = choosing->request;

	for (size_t i = 0; i < request->word_count; i++) {
		const char *word = request->words[i];

		if ((create_choice_is_pattern(word)
			    ? add_pattern(choosing, word, err)
			    : add_name(choosing, word, err)) < 0)
			return -1;
	}
	if (request->all && add_pattern(choosing, "*", err) < 0)
		return -1;
	for (size_t i = 0; i < request->excluded_count; i++) {
		if (exclude(choosing, request->excluded[i], err) < 0)
			return -1;
	}
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const json_t *const *one = a;
	const json_t *const *other = b;
	int order =
	    strcmp(json_text(*one, "project"), json_text(*other, "project"));

	return order != 0
		   ? order
		   : strcmp(json_text(*one, "name"), json_text(*other, "name"));
}

static int
collect(struct choosing *choosing, struct error *err)
{
	struct create_choice *choice = choosing->choice;
	size_t count = 0;

	choice->about = calloc(choosing->names.count + 1, sizeof(json_t *));
	choice->instances =
	    calloc(choosing->names.count + 1, sizeof(*choice->instances));
	if (choice->about == NULL || choice->instances == NULL)
		return error_set_memory(err);
	for (size_t i = 0; i < choosing->names.count; i++) {
		if (choosing->taken[i])
			choice->about[count++] =
			    json_array_get(choice->known, i);
	}
	if (count == 0)
		return error_set(
		    err, ERROR_NOT_FOUND, _("no instance is left to back up"));
	qsort(choice->about, count, sizeof(json_t *), compare);
	for (size_t i = 0; i < count; i++) {
		struct instance_ref *ref = &choice->instances[i];
		const char *project = json_text(choice->about[i], "project");
		const char *name = json_text(choice->about[i], "name");

		choice->count++;
		ref->project = text_copy(project, strlen(project), err);
		ref->name = text_copy(name, strlen(name), err);
		if (ref->project == NULL || ref->name == NULL)
			return -1;
	}
	return 0;
}

int
create_choose(struct incus_client *client,
    const struct create_choice_request *request, const struct watch *watch,
    struct create_choice *ret_choice, struct error *err)
{
	auto_create_choice struct create_choice choice = {
	    .left_out = json_array()};
	struct choosing choosing = {
	    .request = request, .watch = watch, .choice = &choice};
	int result = -1;

	if (incus_instance_list(client, &choice.known, err) == 0 &&
	    list_names(&choosing, err) == 0) {
		choosing.taken = calloc(choosing.names.count + 1, sizeof(bool));
		choosing.noted = calloc(choosing.names.count + 1, sizeof(bool));
		if (choosing.taken == NULL || choosing.noted == NULL)
			error_set_memory(err);
		else if (choose(&choosing, err) == 0)
			result = collect(&choosing, err);
	}
	instance_names_clear(&choosing.names);
	free(choosing.taken);
	free(choosing.noted);
	if (result < 0)
		return -1;
	*ret_choice = choice;
	choice = (struct create_choice){0};
	return 0;
}
