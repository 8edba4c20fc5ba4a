/* policy.h - who may copy what where: rules as data, and the decision
 *
 * Nothing here asks a daemon or reads a file. The first rule that matches
 * decides; where none does, it is denied. */

#ifndef ANKLUME_TRANSFER_POLICY_H
#define ANKLUME_TRANSFER_POLICY_H

#include <stdbool.h>
#include <stddef.h>

struct error;

enum policy_selector_kind {
	POLICY_INSTANCES, /* globs for project and instance */
	POLICY_LOCAL,
	POLICY_ANY,
	POLICY_SAME_PROJECT, /* on both sides of a rule */
	POLICY_TRUST,
};

/* Which ends a rule means. The texts are borrowed from its line. */
struct policy_selector {
	enum policy_selector_kind kind;
	const char *project;  /* of POLICY_INSTANCES */
	const char *instance; /* of POLICY_INSTANCES */
	const char *level;    /* of POLICY_TRUST */
};

/* One line of a policy, its words decoded. Both texts are heap and owned. */
struct policy_line {
	size_t number;
	char *text;  /* as written, for people */
	char *words; /* what selectors and paths point into */
};

struct policy_rule {
	struct policy_line line;
	bool allow;
	struct policy_selector from;
	struct policy_selector to;

	/* Without a trailing slash, so "" is all; NULL: not said. */
	const char *from_path;
	const char *path;
};

/* "trust LEVEL SELECTOR" */
struct policy_trust {
	struct policy_line line;
	const char *level;
	struct policy_selector of;
};

struct policy {
	char *file; /* its name, for messages */
	size_t rule_count;
	struct policy_rule *rules;
	size_t trust_count;
	struct policy_trust *trusts;
	bool audit_required;
};

/* NULL is fine. */
void policy_free(struct policy *policy);

static inline void
auto_policy_cleanup(struct policy **policy)
{
	policy_free(*policy);
}

/* An owning local. */
#define auto_policy __attribute__((cleanup(auto_policy_cleanup)))

/* One end of a transfer. */
struct policy_side {
	const char *project; /* NULL: this side of the daemon, @local */
	const char *instance;
	const char *path; /* absolute, without ".", ".." and links; NULL: a
			     pipe, which is in no directory */
};

struct policy_question {
	struct policy_side from;
	struct policy_side to;

	/* The trust level of a project, "" when it has none; called only where
	 * a rule depends on it and the policy's own lines say nothing. NULL
	 * with err set; else borrowed until the decision. */
	const char *(*project_trust)(
	    void *data, const char *project, struct error *err);
	void *data;
};

/* `rule` (borrowed from the policy) has decided; NULL: none matched. */
struct policy_decision {
	bool allowed;
	const struct policy_rule *rule;
};

/* -1 only when a trust level cannot be known. */
int policy_decide(const struct policy *policy,
    const struct policy_question *question,
    struct policy_decision *ret_decision, struct error *err);

/* Whether it has the line "audit required": what cannot be put on record must
 * not happen. */
bool policy_requires_audit(const struct policy *policy);

#endif
