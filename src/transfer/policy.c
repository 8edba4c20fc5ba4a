#include "transfer/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "transfer/name_glob.h"

static void
line_clear(struct policy_line *line)
{
	free(line->text);
	free(line->words);
	*line = (struct policy_line){0};
}

void
policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	for (size_t i = 0; i < policy->rule_count; i++)
		line_clear(&policy->rules[i].line);
	for (size_t i = 0; i < policy->trust_count; i++)
		line_clear(&policy->trusts[i].line);
	free(policy->rules);
	free(policy->trusts);
	free(policy->file);
	free(policy);
}

bool
policy_requires_audit(const struct policy *policy)
{
	return policy->audit_required;
}

/* What needs neither the other side nor a trust level. */
static bool
matches_plainly(
    const struct policy_selector *selector, const struct policy_side *side)
{
	switch (selector->kind) {
	case POLICY_ANY:
		return true;
	case POLICY_LOCAL:
		return side->project == NULL;
	case POLICY_INSTANCES:
		return side->project != NULL &&
		       name_glob_matches(selector->project, side->project) &&
		       name_glob_matches(selector->instance, side->instance);
	case POLICY_SAME_PROJECT:
	case POLICY_TRUST:
		break;
	}
	return false;
}

/* The first of the policy's own lines, else what the project says. */
static const char *
trust_of(const struct policy *policy, const struct policy_question *question,
    const struct policy_side *side, struct error *err)
{
	for (size_t i = 0; i < policy->trust_count; i++) {
		if (matches_plainly(&policy->trusts[i].of, side))
			return policy->trusts[i].level;
	}
	if (side->project == NULL)
		return "";
	return question->project_trust(question->data, side->project, err);
}

/* 1, 0, or -1. */
static int
selector_matches(const struct policy *policy,
    const struct policy_question *question,
    const struct policy_selector *selector, const struct policy_side *side,
    struct error *err)
{
	const char *level;

	if (selector->kind == POLICY_SAME_PROJECT)
		return question->from.project != NULL &&
		       question->to.project != NULL &&
		       strcmp(question->from.project, question->to.project) ==
			   0;
	if (selector->kind != POLICY_TRUST)
		return matches_plainly(selector, side);
	level = trust_of(policy, question, side, err);
	if (level == NULL)
		return -1;
	return strcmp(level, selector->level) == 0;
}

/* Whether `path` is `directory` or below it, by whole components. */
static bool
is_within(const char *path, const char *directory)
{
	size_t length;

	if (directory == NULL)
		return true;
	if (path == NULL)
		return false;
	length = strlen(directory);
	return strncmp(path, directory, length) == 0 &&
	       (path[length] == '/' || path[length] == '\0');
}

/* 1, 0, or -1. Trust comes last: it may have to be asked for. */
static int
rule_matches(const struct policy *policy, const struct policy_rule *rule,
    const struct policy_question *question, struct error *err)
{
	int matches;

	if (!is_within(question->from.path, rule->from_path) ||
	    !is_within(question->to.path, rule->path))
		return 0;
	matches = selector_matches(
	    policy, question, &rule->from, &question->from, err);
	if (matches <= 0)
		return matches;
	return selector_matches(
	    policy, question, &rule->to, &question->to, err);
}

int
policy_decide(const struct policy *policy,
    const struct policy_question *question,
    struct policy_decision *ret_decision, struct error *err)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		int matches = rule_matches(policy, rule, question, err);

		if (matches < 0)
			return -1;
		if (matches == 0)
			continue;
		*ret_decision = (struct policy_decision){rule->allow, rule};
		return 0;
	}
	*ret_decision = (struct policy_decision){0};
	return 0;
}
