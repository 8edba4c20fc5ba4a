#include "cli/typed.h"

#include <string.h>

#include "base/text.h"
#include "cli/command.h"

static const struct option_spec *
find_letter_in(const struct option_spec *specs, char letter)
{
	for (; specs != NULL && specs->name != NULL; specs++) {
		if (specs->letter == letter)
			return specs;
	}
	return NULL;
}

static const struct option_spec *
find_letter(const struct typed *typed, char letter)
{
	const struct option_spec *found = NULL;

	if (typed->command != NULL)
		found = find_letter_in(typed->command->options, letter);
	return found != NULL ? found
			     : find_letter_in(global_option_specs, letter);
}

/* The option that `length` bytes name, or begin to name. */
static const struct option_spec *
find_name_in(const struct option_spec *specs, const char *name, size_t length)
{
	const struct option_spec *begun = NULL;

	for (; specs != NULL && specs->name != NULL; specs++) {
		if (strncmp(specs->name, name, length) != 0)
			continue;
		if (specs->name[length] == '\0')
			return specs;
		if (begun == NULL)
			begun = specs;
	}
	return begun;
}

/* What getopt would refuse, since several begin so, is taken for the first. */
static const struct option_spec *
find_name(const struct typed *typed, const char *name, size_t length)
{
	const struct option_spec *own = NULL;
	const struct option_spec *global =
	    find_name_in(global_option_specs, name, length);

	if (typed->command != NULL)
		own = find_name_in(typed->command->options, name, length);
	if (own == NULL || (global != NULL && global->name[length] == '\0'))
		return global;
	return own;
}

static void
keep_value(struct typed *typed, const char *text)
{
	if (typed->value_count < TYPED_MAX)
		typed->values[typed->value_count++] =
		    (struct typed_value){typed->option, text};
	typed->option = NULL;
}

/* typed->option is set where the value is still to come. */
static void
take_long(struct typed *typed, const char *name)
{
	size_t length = strcspn(name, "=");
	const struct option_spec *option = find_name(typed, name, length);

	if (option == NULL || option->kind == OPTION_FLAG)
		return;
	typed->option = option;
	if (name[length] == '=')
		keep_value(typed, name + length + 1);
}

static void
take_letters(struct typed *typed, const char *letters)
{
	for (; *letters != '\0'; letters++) {
		const struct option_spec *option = find_letter(typed, *letters);

		if (option == NULL || option->kind == OPTION_FLAG)
			continue;
		typed->option = option;
		if (letters[1] != '\0')
			keep_value(typed, letters + 1);
		return;
	}
}

/* A group, a verb or an argument. */
static void
take_word(struct typed *typed, char *word)
{
	char *both[3] = {typed->group != NULL ? typed->group : word,
	    typed->group != NULL ? word : NULL, NULL};
	size_t used;

	if (typed->command != NULL) {
		if (typed->argument_count < TYPED_MAX)
			typed->arguments[typed->argument_count++] = word;
		return;
	}
	if (typed->group == NULL && !typed->help && strcmp(word, "help") == 0) {
		typed->help = true;
		return;
	}
	typed->command = command_find(both, &used);
	if (typed->command == NULL &&
	    (typed->group != NULL || !command_is_group(word)))
		typed->place = TYPED_NOWHERE;
	typed->group = both[0];
}

static void
take(struct typed *typed, char *word)
{
	if (typed->option != NULL)
		keep_value(typed, word);
	else if (typed->ended || word[0] != '-' || word[1] == '\0')
		take_word(typed, word);
	else if (strcmp(word, "--") == 0)
		/* Before a command they only end the global ones. */
		typed->ended = typed->command != NULL;
	else if (word[1] == '-')
		take_long(typed, word + 2);
	else
		take_letters(typed, word + 1);
}

/* "--from=", and what follows. */
static void
stop_in_value(struct typed *typed, const char *word, size_t length)
{
	typed->option = find_name(typed, word + 2, length - 2);
	if (typed->option == NULL || typed->option->kind == OPTION_FLAG)
		return;
	typed->place = TYPED_VALUE;
	typed->before = word;
	typed->before_length = length + 1;
	typed->word = word + length + 1;
}

static enum typed_place
place_of_word(const struct typed *typed)
{
	if (typed->command != NULL && typed->help)
		return TYPED_NOWHERE;
	if (typed->command != NULL)
		return TYPED_ARGUMENT;
	return typed->group != NULL ? TYPED_VERB : TYPED_GROUP;
}

static void
stop(struct typed *typed, const char *word)
{
	bool lost = typed->place == TYPED_NOWHERE;
	size_t length = strcspn(word, "=");

	typed->place = TYPED_NOWHERE;
	typed->word = typed->before = word;
	if (lost)
		return;
	if (typed->option != NULL)
		typed->place = TYPED_VALUE;
	else if (typed->ended || word[0] != '-')
		typed->place = place_of_word(typed);
	else if (text_starts_with(word, "--") && word[length] == '=')
		stop_in_value(typed, word, length);
	else
		typed->place = TYPED_OPTION;
}

void
typed_read(struct typed *ret_typed, size_t count, char *const *words)
{
	*ret_typed = (struct typed){.place = TYPED_GROUP};
	for (size_t i = 0; i + 1 < count; i++)
		take(ret_typed, words[i]);
	stop(ret_typed, words[count - 1]);
}

const char *
typed_value(const struct typed *typed, enum word_kind kind)
{
	for (size_t i = typed->value_count; i > 0; i--) {
		if (typed->values[i - 1].option->word == kind)
			return typed->values[i - 1].text;
	}
	return NULL;
}

const char *
typed_argument(const struct typed *typed, enum word_kind kind)
{
	for (size_t i = 0; i < typed->argument_count; i++) {
		if (typed_argument_kind(typed->command, i) == kind)
			return typed->arguments[i];
	}
	return NULL;
}

enum word_kind
typed_argument_kind(const struct command *command, size_t index)
{
	enum word_kind kind = WORD_ANY;

	if (index >= command->arguments_max)
		return WORD_ANY;
	for (size_t i = 0; i <= index && i < COMMAND_KINDS; i++) {
		if (command->argument_kinds[i] != WORD_ANY)
			kind = command->argument_kinds[i];
	}
	return kind;
}
