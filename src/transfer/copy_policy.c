#include "transfer/copy_policy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/project.h"
#include "incus/sftp_walk.h"
#include "store/local_file.h"
#include "store/local_path.h"
#include "transfer/copy_end.h"
#include "transfer/policy.h"

/* The key of a project, never of an instance: whoever is controlled does not
 * hold the pen. */
static const char trust_key[] = "user.anklume.trust";

int
copy_policy_init(
    struct copy_policy *policy, struct incus_client *client, struct error *err)
{
	*policy = (struct copy_policy){.client = client};
	if (policy_set_enforce(&policy->set, err) < 0)
		return -1;
	policy->levels = json_object();
	return policy->levels != NULL ? 0 : error_set_memory(err);
}

void
copy_policy_clear(struct copy_policy *policy)
{
	policy_set_clear(&policy->set);
	json_decref(policy->levels);
	free(policy->rule);
	*policy = (struct copy_policy){0};
}

/* Asks the daemon once for each project. */
static const char *
project_trust(void *data, const char *project, struct error *err)
{
	struct copy_policy *policy = data;
	auto_json json_t *object = NULL;
	const char *level = json_text(policy->levels, project);
	int found;

	if (level != NULL)
		return level;
	found = incus_project_get(policy->client, project, &object, err);
	if (found == 0)
		error_set(err, ERROR_DENIED,
		    _("the trust level of the project '%s' is not known: "
		      "there is no such project"),
		    project);
	if (found <= 0)
		return NULL;
	level = json_text(json_object_get(object, "config"), trust_key);
	if (json_object_set_new(policy->levels, project,
		json_string(level != NULL ? level : "")) < 0) {
		error_set_memory(err);
		return NULL;
	}
	return json_text(policy->levels, project);
}

/* Where a location leads; with `name`, inside it should it be a directory. */
static int
resolve_in_instance(const struct copy_end *end, const char *name,
    char **ret_path, struct error *err)
{
	auto_sftp_place struct sftp_place place = {0};
	auto_sftp_place struct sftp_place inner = {0};
	auto_free char *longer = NULL;

	if (copy_end_resolve(end, &place, err) < 0)
		return -1;
	if (name == NULL || (!S_ISDIR(place.found.mode) &&
				!text_ends_with(end->location.path, "/"))) {
		*ret_path = steal(place.path);
		return 0;
	}
	longer = text_format(err, "%s/%s", place.path, name);
	if (longer == NULL ||
	    sftp_resolve(end->session, longer, &inner, err) < 0)
		return -1;
	*ret_path = steal(inner.path);
	return 0;
}

static int
resolve_local(const struct copy_end *end, const char *name, char **ret_path,
    struct error *err)
{
	const char *typed = end->location.path;
	auto_free char *longer = NULL;

	if (name != NULL &&
	    (text_ends_with(typed, "/") || local_is_directory(typed))) {
		longer = text_format(err, "%s/%s", typed, name);
		if (longer == NULL)
			return -1;
		typed = longer;
	}
	*ret_path = local_path_resolve(typed, err);
	return *ret_path != NULL ? 0 : -1;
}

static int
resolve(struct copy_end *end, const char *name, struct error *err)
{
	char *path = NULL;
	int result = 0;

	switch (end->location.kind) {
	case LOCATION_INSTANCE:
		result = resolve_in_instance(end, name, &path, err);
		break;
	case LOCATION_LOCAL:
		result = resolve_local(end, name, &path, err);
		break;
	case LOCATION_STDIO:
		break;
	}
	if (result < 0)
		return -1;
	free(end->judged);
	end->judged = path;
	return 0;
}

/* "project/instance:/path", "/path" or "-". Heap. */
static char *
show_end(const struct copy_end *end, struct error *err)
{
	const char *path = end->judged != NULL ? end->judged : end->text;

	if (end->location.kind != LOCATION_INSTANCE)
		return text_copy(path, strlen(path), err);
	return text_format(
	    err, "%s/%s:%s", end->instance.project, end->instance.name, path);
}

static struct policy_side
side_of(const struct copy_end *end)
{
	if (end->location.kind != LOCATION_INSTANCE)
		return (struct policy_side){.path = end->judged};
	return (struct policy_side){
	    .project = end->instance.project,
	    .instance = end->instance.name,
	    .path = end->judged,
	};
}

static int
deny(const struct policy *policy, const struct policy_rule *rule,
    const struct copy_end *source, const struct copy_end *destination,
    struct error *err)
{
	auto_free char *from = show_end(source, err);
	auto_free char *to = from != NULL ? show_end(destination, err) : NULL;

	if (to == NULL)
		return -1;
	if (rule == NULL)
		error_set(err, ERROR_DENIED,
		    _("denied by policy: '%s' to '%s' (no rule of '%s' allows "
		      "it)"),
		    from, to, policy->file);
	else
		error_set(err, ERROR_DENIED,
		    _("denied by policy: '%s' to '%s' (line %zu of '%s': %s)"),
		    from, to, rule->line.number, policy->file, rule->line.text);
	return error_hint_command(err, "anklume", "portal", "check",
	    source->text, destination->text, NULL);
}

/* JSON is UTF-8; a path need not be. */
static json_t *
text_value(const char *text)
{
	char shown[ERROR_TEXT_BYTES];
	json_t *value = json_string(text);

	if (value != NULL)
		return value;
	return json_string(
	    text_escape(shown, sizeof(shown), text, strlen(text)));
}

static int
note_decision(json_t *answer, const struct policy *policy,
    const struct policy_decision *decision, struct error *err)
{
	const struct policy_rule *rule = decision->rule;
	json_t *object = json_pack("{s:o, s:b, s:o, s:o}", "file",
	    text_value(policy->file), "allows", (int)decision->allowed, "line",
	    rule != NULL ? json_integer((json_int_t)rule->line.number)
			 : json_null(),
	    "rule", rule != NULL ? text_value(rule->line.text) : json_null());

	if (json_array_append_new(json_object_get(answer, "rules"), object) < 0)
		return error_set_memory(err);
	return 0;
}

/* For the trail. */
static int
keep_rule(struct copy_policy *policy, const struct policy *item,
    const struct policy_rule *rule, struct error *err)
{
	free(policy->rule);
	policy->rule = rule != NULL
			   ? text_format(err, "%s:%zu: %s", item->file,
				 rule->line.number, rule->line.text)
			   : text_format(err, "%s: no rule", item->file);
	return policy->rule != NULL ? 0 : -1;
}

/* The first policy that denies has the word. */
static int
judge(struct copy_policy *policy, const struct copy_end *source,
    const struct copy_end *destination, json_t *answer, struct error *err)
{
	struct policy_question question = {
	    .from = side_of(source),
	    .to = side_of(destination),
	    .project_trust = project_trust,
	    .data = policy,
	};

	for (size_t i = 0; i < policy->set.count; i++) {
		const struct policy *item = policy->set.items[i];
		struct policy_decision decision = {0};

		if (policy_decide(item, &question, &decision, err) < 0 ||
		    keep_rule(policy, item, decision.rule, err) < 0)
			return -1;
		if (answer != NULL &&
		    note_decision(answer, item, &decision, err) < 0)
			return -1;
		if (!decision.allowed)
			return deny(
			    item, decision.rule, source, destination, err);
	}
	return 0;
}

int
copy_policy_check(struct copy_policy *policy, struct copy_end *source,
    struct copy_end *destination, const char *name, struct error *err)
{
	if (policy->set.count == 0)
		return 0;
	if (resolve(source, NULL, err) < 0 ||
	    resolve(destination, name, err) < 0)
		return -1;
	return judge(policy, source, destination, NULL, err);
}

static int
replace_judged(struct copy_end *end, const char *path, struct error *err)
{
	char *copy = text_copy(path, strlen(path), err);

	if (copy == NULL)
		return -1;
	free(end->judged);
	end->judged = copy;
	return 0;
}

int
copy_policy_ask(struct copy_policy *policy, struct copy_end *source,
    struct copy_end *destination, const char *from, const char *name,
    struct error *err)
{
	if (policy->set.count == 0)
		return 0;
	if (replace_judged(source, from, err) < 0 ||
	    resolve(destination, name, err) < 0)
		return -1;
	return judge(policy, source, destination, NULL, err);
}

bool
copy_policy_in_force(const struct copy_policy *policy)
{
	return policy->set.count > 0;
}

int
copy_policy_judge(struct copy_policy *policy, struct copy_end *source,
    struct copy_end *destination, const char *from, const char *to,
    struct error *err)
{
	if (!copy_policy_in_force(policy))
		return 0;
	if (replace_judged(source, from, err) < 0 ||
	    replace_judged(destination, to, err) < 0)
		return -1;
	return judge(policy, source, destination, NULL, err);
}

static char *
join(const char *top, const char *path, struct error *err)
{
	return text_format(
	    err, "%s%s%s", top, text_ends_with(top, "/") ? "" : "/", path);
}

int
copy_policy_below(struct copy_policy *policy, const struct copy_end *source,
    const struct copy_end *destination, const char *path, struct error *err)
{
	auto_free char *from_path = join(source->judged, path, err);
	auto_free char *to_path = NULL;
	struct copy_end from = *source;
	struct copy_end to = *destination;
	char *kept;
	int result;

	if (from_path == NULL)
		return -1;
	to_path = join(destination->judged, path, err);
	if (to_path == NULL)
		return -1;
	/* Borrowed for this question; the trail names the rule for the tops. */
	from.judged = from_path;
	to.judged = to_path;
	kept = steal(policy->rule);
	result = judge(policy, &from, &to, NULL, err);
	free(policy->rule);
	policy->rule = kept;
	return result;
}

int
copy_policy_confirm(const struct copy_policy *policy,
    const struct copy_end *destination, const char *target, struct error *err)
{
	auto_free char *now = NULL;

	if (policy->set.count == 0)
		return 0;
	now = destination->location.kind == LOCATION_LOCAL
		  ? local_path_resolve(target, err)
		  : text_copy(target, strlen(target), err);
	if (now == NULL)
		return -1;
	if (destination->judged != NULL &&
	    strcmp(now, destination->judged) == 0)
		return 0;
	return error_set(err, ERROR_DENIED,
	    _("'%s' led elsewhere when the policy was asked: nothing was "
	      "written"),
	    destination->text);
}

int
copy_policy_explain(struct copy_policy *policy, struct copy_end *source,
    struct copy_end *destination, const char *name, json_t **ret_answer,
    struct error *err)
{
	auto_json json_t *answer = json_pack("{s:[]}", "rules");
	auto_free char *from = NULL;
	auto_free char *to = NULL;
	int result;

	if (resolve(source, NULL, err) < 0 ||
	    resolve(destination, name, err) < 0)
		return -1;
	from = show_end(source, err);
	to = from != NULL ? show_end(destination, err) : NULL;
	if (to == NULL)
		return -1;
	result = judge(policy, source, destination, answer, err);
	if (result < 0 && err->code != ERROR_DENIED)
		return -1;
	if (json_object_set_new(answer, "allowed", json_boolean(result == 0)) <
		0 ||
	    json_object_set_new(answer, "from", text_value(from)) < 0 ||
	    json_object_set_new(answer, "to", text_value(to)) < 0)
		return result == 0 ? error_set_memory(err) : -1;
	*ret_answer = steal(answer);
	return result;
}
