/* Who may copy what where: a table of policies, questions and verdicts, and
 * what is wrong with those that cannot be read. */

#include <stdio.h>
#include <string.h>

#include "support.h"
#include "transfer/name_glob.h"
#include "transfer/policy.h"
#include "transfer/policy_parse.h"

/* "PROJECT/INSTANCE:/PATH", "/PATH" or "-". */
struct side_text {
	char project[64];
	char instance[64];
	char path[128];
};

static struct policy_side
side_of(const char *text, struct side_text *room)
{
	const char *colon = strchr(text, ':');
	const char *slash = strchr(text, '/');

	*room = (struct side_text){0};
	if (strcmp(text, "-") == 0)
		return (struct policy_side){0};
	if (*text == '/')
		return (struct policy_side){.path = text};
	assert_non_null(colon);
	assert_non_null(slash);
	memcpy(room->project, text, (size_t)(slash - text));
	memcpy(room->instance, slash + 1, (size_t)(colon - slash) - 1);
	return (struct policy_side){room->project, room->instance, colon + 1};
}

/* What projects say of themselves, and how often they are asked. */
static int asked;

static const char *
project_trust(void *data, const char *project, struct error *err)
{
	(void)data;
	(void)err;
	asked++;
	if (strcmp(project, "pro") == 0)
		return "trusted";
	return strcmp(project, "lab") == 0 ? "untrusted" : "";
}

static const char *
broken_trust(void *data, const char *project, struct error *err)
{
	(void)data;
	error_set(err, ERROR_UNREACHABLE, "'%s' cannot be asked", project);
	return NULL;
}

static struct policy *
parsed(const char *text)
{
	struct error err = {0};
	struct policy *policy = policy_parse("F", text, strlen(text), &err);

	assert_no_error(&err);
	assert_non_null(policy);
	return policy;
}

#define ALLOW true
#define DENY false

struct verdict {
	const char *text;
	const char *from;
	const char *to;
	bool allowed;
	size_t line; /* 0: no rule */
};

#define A "pro/web:/srv/out/x"
#define B "perso/desk:/srv/inbox/x"
#define C "pro/db:/etc/passwd"

#define DESIGN                                                                 \
	"trust untrusted user-*/*\n"                                           \
	"deny @trust:untrusted @trust:trusted\n"                               \
	"allow @same-project @same-project\n"                                  \
	"allow pro/* perso/* path=/srv/inbox/\n"                               \
	"allow pro/* @local\n"

static const struct verdict verdicts[] = {
    /* Default deny. */
    {"", A, B, DENY, 0},
    {"# nothing\n\n \t \n", A, B, DENY, 0},
    {"audit required\n", A, B, DENY, 0},
    {"trust x */*\n", A, B, DENY, 0},
    {"deny @any @any", A, B, DENY, 1},
    {"allow @any @any", A, B, ALLOW, 1},
    {"allow @any @any", "-", B, ALLOW, 1},
    {"allow @any @any", A, "-", ALLOW, 1},
    {"allow @any @any", A, "/tmp/x", ALLOW, 1},

    /* The first match. */
    {"deny @any @any\nallow @any @any", A, B, DENY, 1},
    {"allow @any @any\ndeny @any @any", A, B, ALLOW, 1},
    {"deny lab/* @any\n\n# b\nallow @any @any\n", A, B, ALLOW, 4},
    {"deny */web @any\nallow @any @any\n", A, B, DENY, 1},
    {"deny @any */web\nallow @any @any\n", A, B, ALLOW, 2},
    {"allow pro/web perso/desk path=/no\ndeny @any @any\n", A, B, DENY, 2},

    /* Directions are not the same. */
    {"allow pro/* perso/*", A, B, ALLOW, 1},
    {"allow pro/* perso/*", B, A, DENY, 0},

    /* Globs on PROJECT/INSTANCE. */
    {"allow pro/web perso/desk", A, B, ALLOW, 1},
    {"allow pro/we perso/desk", A, B, DENY, 0},
    {"allow pro/webb perso/desk", A, B, DENY, 0},
    {"allow PRO/web perso/desk", A, B, DENY, 0},
    {"allow p*/w* p*/d*", A, B, ALLOW, 1},
    {"allow */* */*", A, B, ALLOW, 1},
    {"allow p*/*web* @any", A, B, ALLOW, 1},
    /* A star stays on its side of the slash. */
    {"allow pro*eb/* @any", A, B, DENY, 0},
    {"allow pro*/eb @any", A, B, DENY, 0},
    {"allow p?\?/??? @any", A, B, ALLOW, 1},
    {"allow p?/web @any", A, B, DENY, 0},
    {"allow pro/?web @any", A, B, DENY, 0},
    {"allow pro/[vw]eb @any", A, B, ALLOW, 1},
    {"allow pro/[!w]eb @any", A, B, DENY, 0},
    {"allow pro/[!a-v]eb @any", A, B, ALLOW, 1},
    {"allow pro/w*b*b @any", A, B, DENY, 0},
    {"allow pro/*e*b* @any", A, B, ALLOW, 1},
    {"allow user-*/* @any", "user-/x:/a", B, ALLOW, 1},
    {"allow user-*/* @any", "user/x:/a", B, DENY, 0},
    {"allow */* @any", "/tmp/x", B, DENY, 0},
    {"allow @any */*", A, "/tmp/x", DENY, 0},
    {"allow @any */*", A, "-", DENY, 0},
    {"allow [@]a/* @any", "@a/web:/x", B, ALLOW, 1},
    {"allow \"pro/web\" @any", A, B, ALLOW, 1},
    {"allow pro/\"web\" @any", A, B, ALLOW, 1},
    {"allow \"my pro/web\" @any", "my pro/web:/x", B, ALLOW, 1},

    /* This side. */
    {"allow pro/* @local", A, "/tmp/x", ALLOW, 1},
    {"allow pro/* @local", A, "-", ALLOW, 1},
    {"allow pro/* @local", A, B, DENY, 0},
    {"allow @local pro/*", "/tmp/x", A, ALLOW, 1},
    {"allow @local pro/*", "-", A, ALLOW, 1},
    {"allow @local pro/*", B, A, DENY, 0},

    /* The same project. */
    {"allow @same-project @same-project", A, C, ALLOW, 1},
    {"allow @same-project @same-project", A, A, ALLOW, 1},
    {"allow @same-project @same-project", A, B, DENY, 0},
    {"allow @same-project @same-project", A, "/tmp/x", DENY, 0},
    {"allow @same-project @same-project", "/tmp/x", A, DENY, 0},
    {"allow @same-project @same-project", "-", "-", DENY, 0},
    {"allow @same-project @same-project path=/etc", A, C, ALLOW, 1},
    {"allow @same-project @same-project path=/srv", A, C, DENY, 0},

    /* Where it may land: whole components. */
    {"allow @any @any path=/srv/inbox", A, B, ALLOW, 1},
    {"allow @any @any path=/srv/inbox/", A, B, ALLOW, 1},
    {"allow @any @any path=//srv///inbox//", A, B, ALLOW, 1},
    {"allow @any @any path=/srv/inbox/x", A, B, ALLOW, 1},
    {"allow @any @any path=/srv/inbox/x/", A, B, ALLOW, 1},
    {"allow @any @any path=/srv/inbox/x/y", A, B, DENY, 0},
    {"allow @any @any path=/srv/inb", A, B, DENY, 0},
    {"allow @any @any path=/srv/inbox", A, "p/i:/srv/inbox2/x", DENY, 0},
    {"allow @any @any path=/srv/inbox", A, "p/i:/srv/inbox", ALLOW, 1},
    {"allow @any @any path=/srv/inbox", A, "p/i:/a/srv/inbox/x", DENY, 0},
    {"allow @any @any path=/", A, B, ALLOW, 1},
    {"allow @any @any path=/", A, "p/i:/", ALLOW, 1},
    {"allow @any @any path=/srv", A, "/srv/x", ALLOW, 1},
    {"allow @any @any path=/srv", A, "-", DENY, 0},
    {"allow @any @any path=/", A, "-", DENY, 0},
    {"allow @any @any path=/SRV/inbox", A, B, DENY, 0},
    {"allow @any @any path=\"/srv/in box\"", A, "p/i:/srv/in box/x", ALLOW, 1},
    {"allow @any @any \"path=/srv/in box\"", A, "p/i:/srv/in box/x", ALLOW, 1},
    {"allow @any @any path=/srv/\"in box\"/", A, "p/i:/srv/in box/x", ALLOW, 1},
    {"allow @any @any path=\"/a\\\"b\\\\c\"", A, "p/i:/a\"b\\c/x", ALLOW, 1},
    {"allow @any @any path=/a#b # c", A, "p/i:/a#b/x", ALLOW, 1},
    {"allow @any @any path=\"/a # b\"", A, "p/i:/a # b/x", ALLOW, 1},
    {"allow @any @any path=/..a/b..", A, "p/i:/..a/b../x", ALLOW, 1},
    {"allow @any @any path=/a[b]", A, "p/i:/a[b]/x", ALLOW, 1},
    {"deny @any @any path=/etc\nallow @any @any", A, C, DENY, 1},
    {"deny @any @any path=/etc\nallow @any @any", A, B, ALLOW, 2},

    /* Where it may come from. */
    {"allow @any @any from-path=/srv/out", A, B, ALLOW, 1},
    {"allow @any @any from-path=/srv/ou", A, B, DENY, 0},
    {"allow @any @any from-path=/srv/inbox", A, B, DENY, 0},
    {"allow @any @any from-path=/srv/out", C, B, DENY, 0},
    {"allow @any @any from-path=/srv", "/srv/x", B, ALLOW, 1},
    {"allow @any @any from-path=/", "-", B, DENY, 0},
    {"allow @any @any from-path=/srv/out path=/srv/inbox", A, B, ALLOW, 1},
    {"allow @any @any path=/srv/inbox from-path=/srv/out", A, B, ALLOW, 1},
    {"allow @any @any path=/srv/inbox from-path=/no", A, B, DENY, 0},
    {"allow @any @any path=/no from-path=/srv/out", A, B, DENY, 0},

    /* Trust: the policy's own lines, then the project's key. */
    {"allow @trust:trusted @any", A, B, ALLOW, 1},
    {"allow @trust:trusted @any", B, A, DENY, 0},
    {"allow @any @trust:trusted", B, A, ALLOW, 1},
    {"allow @trust:trust @any", A, B, DENY, 0},
    {"allow @trust:trusted-not @any", A, B, DENY, 0},
    {"deny @trust:untrusted @any\nallow @any @any", "lab/a:/x", B, DENY, 1},
    {"deny @trust:untrusted @any\nallow @any @any", B, A, ALLOW, 2},
    {"trust low pro/*\nallow @trust:trusted @any", A, B, DENY, 0},
    {"trust low pro/*\nallow @trust:low @any", A, B, ALLOW, 2},
    {"allow @trust:low @any\ntrust low pro/*", A, B, ALLOW, 1},
    {"trust a pro/web\ntrust b pro/*\nallow @trust:b @any", A, B, DENY, 0},
    {"trust a pro/web\ntrust b pro/*\nallow @trust:b @any", C, B, ALLOW, 3},
    {"trust a @any\nallow @trust:a @trust:a", A, "-", ALLOW, 2},
    {"trust a @local\nallow @trust:a @any", "/tmp/x", B, ALLOW, 2},
    {"trust a @local\nallow @trust:a @any", A, B, DENY, 0},
    {"allow @trust:trusted @any", "/tmp/x", B, DENY, 0},

    /* The design's own. */
    {DESIGN, "user-7/web:/x", A, DENY, 2},
    {DESIGN, "user-7/web:/x", "user-7/db:/x", ALLOW, 3},
    {DESIGN, "user-7/web:/x", "user-8/web:/x", DENY, 0},
    {DESIGN, A, B, ALLOW, 4},
    {DESIGN, A, "perso/desk:/srv/inbox2/x", DENY, 0},
    {DESIGN, A, "/tmp/x", ALLOW, 5},
    {DESIGN, "/tmp/x", A, DENY, 0},
};

static void
verdict_of_each(void **state)
{
	(void)state;
	assert_true(COUNT(verdicts) >= 80);
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		const struct verdict *one = &verdicts[i];
		auto_policy struct policy *policy = parsed(one->text);
		struct side_text from;
		struct side_text to;
		struct policy_decision decision = {0};
		struct error err = {0};
		struct policy_question question = {
		    .from = side_of(one->from, &from),
		    .to = side_of(one->to, &to),
		    .project_trust = project_trust,
		};
		size_t line;

		assert_int_equal(
		    policy_decide(policy, &question, &decision, &err), 0);
		line = decision.rule != NULL ? decision.rule->line.number : 0;
		if (decision.allowed == one->allowed && line == one->line)
			continue;
		print_error("%zu: '%s' from '%s' to '%s': %d by line %zu\n", i,
		    one->text, one->from, one->to, decision.allowed, line);
		fail();
	}
}

struct mistake {
	const char *text;
	const char *message; /* its beginning */
};

#define LINE_1 "'F', line 1: "

static const struct mistake mistakes[] = {
    {"permit @any @any", LINE_1 "'permit' is none of"},
    {"Allow @any @any", LINE_1 "'Allow' is none of"},
    {"\xef\xbb\xbf"
     "allow @any @any",
	LINE_1 "'\\xef\\xbb\\xbfallow' is none of"},
    {"\n\n# a\nallowed @any @any", "'F', line 4: 'allowed' is none of"},
    {"allow @any @any\nallow", "'F', line 2: 'allow' wants"},
    {"allow @any", LINE_1 "'allow' wants"},
    {"deny", LINE_1 "'deny' wants"},
    {"deny # @any @any", LINE_1 "'deny' wants"},
    {"allow pro @any", LINE_1 "'pro' is not spelled PROJECT/INSTANCE"},
    {"allow * @any", LINE_1 "'*' is not spelled PROJECT/INSTANCE"},
    {"allow @any pro", LINE_1 "'pro' is not spelled PROJECT/INSTANCE"},
    {"allow \"\" @any", LINE_1 "'' is not spelled PROJECT/INSTANCE"},
    {"allow pro/ @any", LINE_1 "'pro/' is not spelled"},
    {"allow /web @any", LINE_1 "'/web' is not spelled"},
    {"allow a/b/c @any", LINE_1 "'a/b/c' is not spelled"},
    {"allow far:a/b @any", LINE_1 "'far:a/b': only instances of the local"},
    {"allow web:/srv/x @any", LINE_1 "'web:/srv/x': only instances of"},
    {"allow @nobody @any", LINE_1 "unknown selector '@nobody'"},
    {"allow @LOCAL @any", LINE_1 "unknown selector '@LOCAL'"},
    {"allow @trust @any", LINE_1 "unknown selector '@trust'"},
    {"allow @trust: @any", LINE_1 "'' is no trust level"},
    {"allow @trust:a* @any", LINE_1 "'a*' is no trust level"},
    {"allow [a/b @any", LINE_1 "'[a/b': a set is spelled"},
    {"allow a/[] @any", LINE_1 "'a/[]': a set is spelled"},
    {"allow a/[z-a] @any", LINE_1 "'a/[z-a]': a set is spelled"},
    {"allow a/[\xc3\xa9] @any", LINE_1 "'a/[\xc3\xa9]': a set is spelled"},
    {"allow @same-project @any", LINE_1 "'@same-project' stands on both"},
    {"deny a/b @same-project", LINE_1 "'@same-project' stands on both"},
    {"allow @any @any /srv", LINE_1 "'/srv' is neither path="},
    {"allow @any @any to=/srv", LINE_1 "'to=/srv' is neither path="},
    {"allow @any @any path", LINE_1 "'path' is neither path="},
    {"allow @any @any path= /srv", LINE_1 "'' is not an absolute path"},
    {"allow @any @any path=srv", LINE_1 "'srv' is not an absolute path"},
    {"allow @any @any path=/a/../b", LINE_1 "a path here has no"},
    {"allow @any @any path=/a/./b", LINE_1 "a path here has no"},
    {"allow @any @any path=/a/..", LINE_1 "a path here has no"},
    {"allow @any @any path=/srv/*", LINE_1 "'/srv/*': a path takes no"},
    {"allow @any @any path=/a path=/b", LINE_1 "'path=/b' is said twice"},
    {"allow @any @any from-path=/a from-path=/b", LINE_1 "'from-path=/b' is"},
    {"allow @any @any path=/a from-path=/b x", LINE_1 "'x' is one word too"},
    {"allow @any @any path=/in box", LINE_1 "'box' is neither path="},
    {"allow @any @any path=\"/in box", LINE_1 "a quote is opened"},
    {"allow @any @any path=/in\\ box", LINE_1 "a backslash stands"},
    {"allow @any @any path=\"/in\\nbox\"", LINE_1 "a backslash stands"},
    {"allow @any @any path=\"/in\\", LINE_1 "a backslash stands"},
    {"trust a", LINE_1 "'trust' wants"},
    {"trust a a/b path=/x", LINE_1 "'trust' wants"},
    {"trust */* a", LINE_1 "'*/*' is no trust level"},
    {"trust a b", LINE_1 "'b' is not spelled"},
    {"trust a @trust:b", LINE_1 "'@trust:b' cannot be given"},
    {"trust a @same-project", LINE_1 "'@same-project' cannot be given"},
    {"audit", LINE_1 "'audit' is followed by 'required'"},
    {"audit optional", LINE_1 "'audit' is followed by 'required'"},
    {"audit required x", LINE_1 "'audit' is followed by 'required'"},
    {"allow @any @any\r\n", LINE_1 "a control character (byte 13)"},
    {"allow @any \x1b[31m@any", LINE_1 "a control character (byte 27)"},
    {"# \x7f", LINE_1 "a control character (byte 127)"},
};

static void
check_mistake(const char *text, size_t size, const char *message)
{
	struct error err = {0};

	assert_null(policy_parse("F", text, size, &err));
	assert_error(&err, ERROR_USAGE);
	if (strncmp(err.text, message, strlen(message)) == 0)
		return;
	print_error("'%s': %s\n", text, err.text);
	fail();
}

static void
mistakes_name_their_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++)
		check_mistake(mistakes[i].text, strlen(mistakes[i].text),
		    mistakes[i].message);
	check_mistake(
	    "allow @any\0@any", 15, LINE_1 "a control character (byte 0)");
}

static void
a_selector_without_a_slash_gets_a_hint(void **state)
{
	struct error err = {0};

	(void)state;
	assert_null(policy_parse("F", "allow web @any", 14, &err));
	assert_string_equal(err.hint, "'web/*' is a whole project, '*/web' an "
				      "instance of any project");
}

static void
limits(void **state)
{
	static const char rule[] = "allow @any @any\n";
	auto_bytes struct bytes many = {0};
	auto_bytes struct bytes line = bytes_zero(POLICY_LINE_MAX_BYTES + 1);
	struct error err = {0};
	struct policy *policy;

	(void)state;
	for (int i = 0; i < POLICY_RULES_MAX; i++)
		bytes_add(&many, rule, strlen(rule));
	policy = policy_parse("F", (char *)many.data, many.size, &err);
	assert_no_error(&err);
	assert_int_equal(policy->rule_count, POLICY_RULES_MAX);
	policy_free(policy);
	bytes_add(&many, rule, strlen(rule));
	check_mistake((char *)many.data, many.size,
	    "'F', line 4097: there are more than 4096 rules");

	memset(line.data, ' ', line.size);
	policy =
	    policy_parse("F", (char *)line.data, POLICY_LINE_MAX_BYTES, &err);
	assert_no_error(&err);
	policy_free(policy);
	check_mistake(
	    (char *)line.data, line.size, LINE_1 "longer than 10240 bytes");
}

static void
the_rule_is_kept_as_written(void **state)
{
	auto_policy struct policy *policy =
	    parsed("\n \tallow  pro/*\t@local  path=\"/a b\" # why \t\n");
	struct side_text from;
	struct policy_decision decision = {0};
	struct error err = {0};
	struct policy_question question = {
	    .from = side_of(A, &from),
	    .to = {.path = "/a b/c"},
	    .project_trust = project_trust,
	};

	(void)state;
	assert_int_equal(policy_decide(policy, &question, &decision, &err), 0);
	assert_true(decision.allowed);
	assert_string_equal(decision.rule->line.text,
	    "allow  pro/*\t@local  path=\"/a b\" # why");
}

static void
audit_is_required_where_a_line_says_so(void **state)
{
	auto_policy struct policy *with =
	    parsed("allow @any @any\naudit required # by law\n");
	auto_policy struct policy *without = parsed("# audit required\n");

	(void)state;
	assert_true(policy_requires_audit(with));
	assert_false(policy_requires_audit(without));
}

/* A project is asked only where its answer decides. */
static void
projects_are_asked_last(void **state)
{
	static const struct {
		const char *text;
		int times;
	} cases[] = {
	    {"allow @any @any\ndeny @trust:a @any", 0},
	    {"deny @trust:a @any path=/no\nallow @any @any", 0},
	    {"deny lab/* @trust:a\nallow @any @any", 0},
	    {"trust b */*\ndeny @trust:a @trust:a\nallow @any @any", 0},
	    {"deny @trust:a @trust:a\nallow @any @any", 1},
	    {"deny @trust:trusted @trust:a\nallow @any @any", 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		auto_policy struct policy *policy = parsed(cases[i].text);
		struct side_text from;
		struct side_text to;
		struct policy_decision decision = {0};
		struct error err = {0};
		struct policy_question question = {
		    .from = side_of(A, &from),
		    .to = side_of(B, &to),
		    .project_trust = project_trust,
		};

		asked = 0;
		assert_int_equal(
		    policy_decide(policy, &question, &decision, &err), 0);
		assert_true(decision.allowed);
		assert_int_equal(asked, cases[i].times);
	}
}

static void
trust_that_cannot_be_known_is_a_failure(void **state)
{
	auto_policy struct policy *policy =
	    parsed("deny @trust:low @any\nallow @any @any");
	struct side_text from;
	struct policy_decision decision = {0};
	struct error err = {0};
	struct policy_question question = {
	    .from = side_of(A, &from),
	    .project_trust = broken_trust,
	};

	(void)state;
	assert_int_equal(policy_decide(policy, &question, &decision, &err), -1);
	assert_error(&err, ERROR_UNREACHABLE);
	assert_false(decision.allowed);
}

/* Bytes that are no UTF-8 still match what they are. */
static void
globs(void **state)
{
	static const struct {
		const char *glob;
		const char *name;
		bool matches;
	} cases[] = {
	    {"*", "", true},
	    {"?", "", false},
	    {"", "", true},
	    {"", "a", false},
	    {"**", "a", true},
	    {"?", "\xc3\xa9", true},
	    {"??", "\xc3\xa9", false},
	    {"[!a]", "\xc3\xa9", true},
	    {"\xc3\xa9*", "\xc3\xa9t\xc3\xa9", true},
	    {"*\xff", "a\xff", true},
	    {"?\xff*", "\xfe\xff", true},
	    {"[]]", "]", true},
	    {"[!]]", "]", false},
	    {"[^]]", "a", true},
	    {"[a-]", "-", true},
	    {"[-a]", "-", true},
	    {"[a-c]", "-", false},
	    {"[a-c]", "b", true},
	    {"[[]x", "[x", true},
	    {"a]", "a]", true},
	    {"*a*a*a*a*a*a*a*a*a*b",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"a",
		false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(name_glob_is_valid(cases[i].glob));
		if (name_glob_matches(cases[i].glob, cases[i].name) ==
		    cases[i].matches)
			continue;
		print_error("'%s' and '%s'\n", cases[i].glob, cases[i].name);
		fail();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verdict_of_each),
	    cmocka_unit_test(mistakes_name_their_line),
	    cmocka_unit_test(a_selector_without_a_slash_gets_a_hint),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(the_rule_is_kept_as_written),
	    cmocka_unit_test(audit_is_required_where_a_line_says_so),
	    cmocka_unit_test(projects_are_asked_last),
	    cmocka_unit_test(trust_that_cannot_be_known_is_a_failure),
	    cmocka_unit_test(globs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
