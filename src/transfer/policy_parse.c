#include "transfer/policy_parse.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "transfer/name_glob.h"
#include "transfer/policy.h"

/* "allow FROM TO path= from-path=" */
#define WORDS_MAX 5

#define LEVEL_MAX_BYTES 63

static const char blanks[] = " \t";

static const char level_characters[] = "abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789-_.";

struct words {
	size_t count;
	char *items[WORDS_MAX];
};

/* Decode one word in place. What is written never passes what is read. */
static int
take_word(char **in, char **out, struct error *err)
{
	bool quoted = false;

	while (**in != '\0' && (quoted || strchr(blanks, **in) == NULL)) {
		char byte = *(*in)++;

		if (byte == '"') {
			quoted = !quoted;
			continue;
		}
		if (byte == '\\') {
			if (!quoted || (**in != '"' && **in != '\\'))
				return error_set(err, ERROR_USAGE,
				    _("a backslash stands between quotes, and "
				      "before a quote or a backslash"));
			byte = *(*in)++;
		}
		*(*out)++ = byte;
	}
	if (quoted)
		return error_set(
		    err, ERROR_USAGE, _("a quote is opened and not closed"));
	if (**in != '\0')
		(*in)++;
	*(*out)++ = '\0';
	return 0;
}

static int
split_words(char *text, struct words *ret_words, struct error *err)
{
	char *in = text;
	char *out = text;

	*ret_words = (struct words){0};
	for (;;) {
		char *word = out;

		in += strspn(in, blanks);
		if (*in == '\0' || *in == '#')
			return 0;
		if (take_word(&in, &out, err) < 0)
			return -1;
		if (ret_words->count == WORDS_MAX)
			return error_set(err, ERROR_USAGE,
			    _("'%s' is one word too many"), word);
		ret_words->items[ret_words->count++] = word;
	}
}

static int
parse_level(const char *word, const char **ret_level, struct error *err)
{
	size_t length = strspn(word, level_characters);

	if (length == 0 || length > LEVEL_MAX_BYTES || word[length] != '\0')
		return error_set(err, ERROR_USAGE,
		    _("'%s' is no trust level: letters, digits, '-', '_' and "
		      "'.', at most %d"),
		    word, LEVEL_MAX_BYTES);
	*ret_level = word;
	return 0;
}

static int
parse_keyword(
    const char *word, struct policy_selector *ret_selector, struct error *err)
{
	static const struct {
		const char *word;
		enum policy_selector_kind kind;
	} keywords[] = {
	    {"@local", POLICY_LOCAL},
	    {"@any", POLICY_ANY},
	    {"@same-project", POLICY_SAME_PROJECT},
	};
	static const char trust[] = "@trust:";

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (strcmp(word, keywords[i].word) != 0)
			continue;
		ret_selector->kind = keywords[i].kind;
		return 0;
	}
	if (text_starts_with(word, trust)) {
		ret_selector->kind = POLICY_TRUST;
		return parse_level(
		    word + strlen(trust), &ret_selector->level, err);
	}
	error_set(err, ERROR_USAGE, _("unknown selector '%s'"), word);
	return error_hint(
	    err, "@local, @any, @same-project, @trust:LEVEL, PROJECT/INSTANCE");
}

static int
parse_selector(
    char *word, struct policy_selector *ret_selector, struct error *err)
{
	char *slash = strchr(word, '/');

	*ret_selector = (struct policy_selector){.kind = POLICY_INSTANCES};
	if (*word == '@')
		return parse_keyword(word, ret_selector, err);
	if (strchr(word, ':') != NULL)
		return error_set(err, ERROR_USAGE,
		    _("'%s': only instances of the local daemon can be named"),
		    word);
	if (slash == NULL) {
		error_set(err, ERROR_USAGE,
		    _("'%s' is not spelled PROJECT/INSTANCE"), word);
		return error_hint(err,
		    _("'%s/*' is a whole project, '*/%s' an instance of any "
		      "project"),
		    word, word);
	}
	if (slash == word || slash[1] == '\0' || strchr(slash + 1, '/') != NULL)
		return error_set(err, ERROR_USAGE,
		    _("'%s' is not spelled PROJECT/INSTANCE"), word);
	*slash = '\0';
	if (!name_glob_is_valid(word) || !name_glob_is_valid(slash + 1))
		return error_set(err, ERROR_USAGE,
		    _("'%s/%s': a set is spelled [abc], [a-z] or [!abc]"), word,
		    slash + 1);
	ret_selector->project = word;
	ret_selector->instance = slash + 1;
	return 0;
}

/* An absolute path, in place without what the resolved path will not have: what
 * can never match would be a rule that does nothing. */
static int
parse_path(char *value, const char **ret_path, struct error *err)
{
	char *in = value;
	char *out = value;

	if (*value != '/')
		return error_set(
		    err, ERROR_USAGE, _("'%s' is not an absolute path"), value);
	if (strpbrk(value, "*?") != NULL)
		return error_set(err, ERROR_USAGE,
		    _("'%s': a path takes no patterns; it means all that is "
		      "below"),
		    value);
	for (;;) {
		size_t length;

		in += strspn(in, "/");
		length = strcspn(in, "/");
		if (length == 0)
			break;
		if (strncmp(in, "..", length) == 0 && length <= 2)
			return error_set(err, ERROR_USAGE,
			    _("a path here has no '.' and '..'"));
		*out++ = '/';
		memmove(out, in, length);
		out += length;
		in += length;
	}
	*out = '\0';
	*ret_path = value;
	return 0;
}

static int
parse_option(char *word, struct policy_rule *rule, struct error *err)
{
	char *value = strchr(word, '=');
	const char **place = NULL;

	if (text_starts_with(word, "path="))
		place = &rule->path;
	if (text_starts_with(word, "from-path="))
		place = &rule->from_path;
	if (place == NULL)
		return error_set(err, ERROR_USAGE,
		    _("'%s' is neither path=/DIR nor from-path=/DIR"), word);
	if (*place != NULL)
		return error_set(
		    err, ERROR_USAGE, _("'%s' is said twice"), word);
	return parse_path(value + 1, place, err);
}

/* The list, moved where it has no room for one more element; it doubles. NULL
 * with err set, and the list as it was. */
static void *
grow(void *list, size_t count, size_t element_size, struct error *err)
{
	void *longer;

	if (count >= POLICY_RULES_MAX) {
		error_set(err, ERROR_USAGE, _("there are more than %d rules"),
		    POLICY_RULES_MAX);
		return NULL;
	}
	if ((count & (count - 1)) != 0)
		return list;
	longer = reallocarray(list, count > 0 ? 2 * count : 1, element_size);
	if (longer == NULL)
		error_set_memory(err);
	return longer;
}

static int
parse_rule(struct policy *policy, const struct words *words,
    struct policy_line *line, struct error *err)
{
	struct policy_rule rule = {
	    .allow = strcmp(words->items[0], "allow") == 0};
	void *list;

	if (words->count < 3)
		return error_set(err, ERROR_USAGE,
		    _("'%s' wants where from and where to"), words->items[0]);
	if (parse_selector(words->items[1], &rule.from, err) < 0 ||
	    parse_selector(words->items[2], &rule.to, err) < 0)
		return -1;
	if ((rule.from.kind == POLICY_SAME_PROJECT) !=
	    (rule.to.kind == POLICY_SAME_PROJECT))
		return error_set(err, ERROR_USAGE,
		    _("'@same-project' stands on both sides or on none"));
	for (size_t i = 3; i < words->count; i++) {
		if (parse_option(words->items[i], &rule, err) < 0)
			return -1;
	}

	list = grow(policy->rules, policy->rule_count, sizeof(rule), err);
	if (list == NULL)
		return -1;
	policy->rules = list;
	rule.line = *line;
	*line = (struct policy_line){0};
	policy->rules[policy->rule_count++] = rule;
	return 0;
}

static int
parse_trust(struct policy *policy, const struct words *words,
    struct policy_line *line, struct error *err)
{
	struct policy_trust trust = {0};
	void *list;

	if (words->count != 3)
		return error_set(err, ERROR_USAGE,
		    _("'%s' wants a level and whose it is"), words->items[0]);
	if (parse_level(words->items[1], &trust.level, err) < 0 ||
	    parse_selector(words->items[2], &trust.of, err) < 0)
		return -1;
	if (trust.of.kind == POLICY_SAME_PROJECT ||
	    trust.of.kind == POLICY_TRUST)
		return error_set(err, ERROR_USAGE,
		    _("'%s' cannot be given a trust level"), words->items[2]);

	list = grow(policy->trusts, policy->trust_count, sizeof(trust), err);
	if (list == NULL)
		return -1;
	policy->trusts = list;
	trust.line = *line;
	*line = (struct policy_line){0};
	policy->trusts[policy->trust_count++] = trust;
	return 0;
}

static int
parse_audit(struct policy *policy, const struct words *words, struct error *err)
{
	if (words->count != 2 || strcmp(words->items[1], "required") != 0)
		return error_set(err, ERROR_USAGE,
		    _("'%s' is followed by '%s'"), words->items[0], "required");
	policy->audit_required = true;
	return 0;
}

static int
check_bytes(const char *text, size_t length, struct error *err)
{
	if (length > POLICY_LINE_MAX_BYTES)
		return error_set(err, ERROR_USAGE, _("longer than %d bytes"),
		    POLICY_LINE_MAX_BYTES);
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			return error_set(err, ERROR_USAGE,
			    _("a control character (byte %d)"), byte);
	}
	return 0;
}

/* `line` stays the caller's, unless it is taken over and left empty. */
static int
parse_words(struct policy *policy, struct policy_line *line, struct error *err)
{
	struct words words;
	const char *verb;

	if (split_words(line->words, &words, err) < 0)
		return -1;
	if (words.count == 0)
		return 0;
	verb = words.items[0];
	if (strcmp(verb, "allow") == 0 || strcmp(verb, "deny") == 0)
		return parse_rule(policy, &words, line, err);
	if (strcmp(verb, "trust") == 0)
		return parse_trust(policy, &words, line, err);
	if (strcmp(verb, "audit") == 0)
		return parse_audit(policy, &words, err);
	return error_set(err, ERROR_USAGE,
	    _("'%s' is none of allow, deny, trust and audit"), verb);
}

/* The line without blanks around it. Heap. */
static char *
trimmed(const char *text, size_t length, struct error *err)
{
	while (length > 0 && strchr(blanks, text[0]) != NULL)
		text++, length--;
	while (length > 0 && strchr(blanks, text[length - 1]) != NULL)
		length--;
	return text_copy(text, length, err);
}

static int
parse_line(struct policy *policy, size_t number, const char *text,
    size_t length, struct error *err)
{
	struct policy_line line = {.number = number};
	int result = -1;

	if (check_bytes(text, length, err) < 0)
		return -1;
	line.text = trimmed(text, length, err);
	if (line.text != NULL)
		line.words = text_copy(line.text, strlen(line.text), err);
	if (line.words != NULL)
		result = parse_words(policy, &line, err);
	free(line.text);
	free(line.words);
	return result;
}

static int
parse_lines(
    struct policy *policy, const char *text, size_t size, struct error *err)
{
	size_t number = 0;

	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t length = end != NULL ? (size_t)(end - text) : size;

		number++;
		if (parse_line(policy, number, text, length, err) < 0) {
			if (err->code == ERROR_USAGE)
				error_prefix(err, _("'%s', line %zu"),
				    policy->file, number);
			return -1;
		}
		size -= length;
		text += length;
		if (size > 0) {
			size--;
			text++;
		}
	}
	return 0;
}

struct policy *
policy_parse(const char *file, const char *text, size_t size, struct error *err)
{
	auto_policy struct policy *policy = NULL;

	policy = calloc(1, sizeof(*policy));
	if (policy == NULL) {
		error_set_memory(err);
		return NULL;
	}
	policy->file = text_copy(file, strlen(file), err);
	if (policy->file == NULL || parse_lines(policy, text, size, err) < 0)
		return NULL;
	return steal(policy);
}
