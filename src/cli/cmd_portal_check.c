#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "transfer/copy.h"
#include "transfer/policy.h"
#include "transfer/policy_file.h"

/* A path or a rule as a terminal may show it. */
#define SHOWN_BYTES 2048

static const char *
shown(char buf[SHOWN_BYTES], const json_t *object, const char *key)
{
	const char *text = json_text(object, key);

	if (text == NULL)
		text = "";
	return text_escape(buf, SHOWN_BYTES, text, strlen(text));
}

/* What allows it; what denies is the error. */
static void
print_answer(struct output *output, const json_t *answer)
{
	const json_t *rules = json_object_get(answer, "rules");
	const json_t *rule;
	char from[SHOWN_BYTES];
	char to[SHOWN_BYTES];
	size_t i;

	output_line(output, _("allowed: '%s' to '%s'"),
	    shown(from, answer, "from"), shown(to, answer, "to"));
	if (json_array_size(rules) == 0)
		output_line(output, "  %s",
		    _("there is no policy: everything is allowed"));
	json_array_foreach(rules, i, rule)
	{
		char file[SHOWN_BYTES];
		char text[SHOWN_BYTES];

		output_line(output, _("  line %zu of '%s': %s"),
		    (size_t)json_number(rule, "line"),
		    shown(file, rule, "file"), shown(text, rule, "rule"));
	}
}

static int
explain(const struct invocation *invocation, struct error *err)
{
	struct copy_request request = {
	    .sources = invocation->arguments,
	    .source_count = 1,
	    .destination = invocation->arguments[1],
	    .project = invocation->project,
	    .timeout_s = invocation->timeout_s,
	};
	auto_json json_t *answer = NULL;
	int status = copy_explain(&request, &answer, err);

	output_json(invocation->output, answer);
	if (status == 0)
		print_answer(invocation->output, answer);
	return status;
}

static void
print_policy(
    struct output *output, const struct policy *policy, json_t *policies)
{
	char file[SHOWN_BYTES];

	text_escape(file, sizeof(file), policy->file, strlen(policy->file));
	output_line(output, _("'%s' is well-formed; rules: %zu"), file,
	    policy->rule_count);
	(void)json_array_append_new(
	    policies, json_pack("{s:s, s:I, s:b}", "file", file, "rules",
			  (json_int_t)policy->rule_count, "audit_required",
			  (int)policy->audit_required));
}

static int
check_syntax(const struct invocation *invocation, struct error *err)
{
	auto_policy_set struct policy_set set = {0};
	auto_json json_t *fields = json_pack("{s:[]}", "policies");
	json_t *policies = json_object_get(fields, "policies");

	if (policy_set_read(&set, err) < 0)
		return -1;
	for (size_t i = 0; i < set.count; i++)
		print_policy(invocation->output, set.items[i], policies);
	if (set.count == 0)
		output_line(invocation->output,
		    _("there is no '%s': everything is allowed"), POLICY_FILE);
	output_json(invocation->output, fields);
	return 0;
}

static int
run(const struct invocation *invocation, struct error *err)
{
	switch (invocation->argument_count) {
	case 0:
		return check_syntax(invocation, err);
	case 1:
		error_set(err, ERROR_USAGE,
		    _("'%s' wants both, where from and where to"),
		    "portal check");
		return error_hint(err, "anklume help portal check");
	default:
		return explain(invocation, err);
	}
}

const struct command portal_check_command = {
    .words = "portal check",
    .arguments = N_("[SRC DST]"),
    .summary = N_("what the policy says of a copy, and why"),
    .details = N_("Without arguments, only whether the policy can be read.\n"
		  "Nothing is copied."),
    .examples = "  anklume portal check\n"
		"  anklume portal check pro-dev:/srv/out/report "
		"perso-desktop:/srv/inbox/\n",
    .arguments_max = 2,
    .argument_kinds = {WORD_LOCATION},
    .run = run,
};
