/* A policy of any bytes: refused with its line, or rules that decide. */

#include "fuzz.h"

#include <string.h>

#include "base/error.h"
#include "check.h"
#include "transfer/policy.h"
#include "transfer/policy_parse.h"

static const char *
no_trust(void *data, const char *project, struct error *err)
{
	(void)data;
	(void)project;
	(void)err;
	return "";
}

static const struct policy_side sides[] = {
    {.path = NULL},
    {.path = "/srv/in box/a"},
    {"pro", "web", "/srv/out/x"},
    {"perso", "web", "/"},
    {"user-1", "\xc3\xa9\xff-a", "/srv/inbox"},
};

#define SIDES (sizeof(sides) / sizeof(sides[0]))

static void
check_decision(const struct policy *policy,
    const struct policy_question *question, const struct error *err)
{
	struct policy_decision one = {0};
	struct policy_decision again = {0};
	struct error failure = *err;

	CHECK(policy_decide(policy, question, &one, &failure) == 0);
	CHECK(policy_decide(policy, question, &again, &failure) == 0);
	CHECK(one.rule == again.rule && one.allowed == again.allowed);
	CHECK(one.rule != NULL || !one.allowed);
	if (one.rule == NULL)
		return;
	CHECK(one.rule->allow == one.allowed);
	CHECK(strncmp(one.rule->line.text, one.allowed ? "allow" : "deny",
		  one.allowed ? 5 : 4) == 0 ||
	      strchr(one.rule->line.text, '"') != NULL);
	/* Nothing is below a directory that a pipe is not in. */
	CHECK(one.rule->path == NULL || question->to.path != NULL);
	CHECK(one.rule->from_path == NULL || question->from.path != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = {0};
	struct policy *policy =
	    policy_parse("P", (const char *)data, size, &err);

	if (policy == NULL) {
		check_error(&err);
		CHECK(err.code == ERROR_USAGE);
		CHECK(strncmp(err.text, "'P', line ", 10) == 0);
		return 0;
	}
	CHECK(!error_is_set(&err));
	CHECK(policy->rule_count <= POLICY_RULES_MAX);
	CHECK(policy->trust_count <= POLICY_RULES_MAX);
	for (size_t i = 0; i < SIDES * SIDES; i++) {
		const struct policy_question question = {
		    .from = sides[i / SIDES],
		    .to = sides[i % SIDES],
		    .project_trust = no_trust,
		};

		check_decision(policy, &question, &err);
	}
	policy_free(policy);
	return 0;
}
