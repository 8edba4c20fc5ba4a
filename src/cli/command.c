#include "cli/command.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "cli/complete.h"
#include "cli/output.h"
#include "cli/usage.h"
#include "config.h"
#include "transfer/configuration.h"
#include "transfer/location.h"

/* Without any byte or news from the daemon. */
#define TIMEOUT_DEFAULT_S 120
#define TIMEOUT_MAX_S (24 * 60 * 60)

#define GLOBAL(field) offsetof(struct global_options, field)

const struct option_spec global_option_specs[] = {
    {"project", 0, OPTION_TEXT, GLOBAL(project), N_("P"),
	N_("the project, where a name alone does not tell"), WORD_PROJECT},
    {"json", 0, OPTION_FLAG, GLOBAL(json), NULL,
	N_("one JSON object on standard output at the end")},
    {"quiet", 'q', OPTION_FLAG, GLOBAL(quiet), NULL,
	N_("no progress, no remarks")},
    {"verbose", 'v', OPTION_FLAG, GLOBAL(verbose), NULL,
	N_("say what is being done")},
    {"no-color", 0, OPTION_FLAG, GLOBAL(no_color), NULL,
	N_("accepted: nothing is colored")},
    {"dry-run", 'n', OPTION_FLAG, GLOBAL(dry_run), NULL,
	N_("look, and write nothing")},
    {"yes", 'y', OPTION_FLAG, GLOBAL(yes), NULL,
	N_("answer questions with yes")},
    {"timeout", 0, OPTION_TEXT, GLOBAL(timeout), N_("SECONDS"),
	N_("give up without any news from the other side")},
    {"help", 'h', OPTION_FLAG, GLOBAL(help), NULL, N_("this text")},
    {"version", 0, OPTION_FLAG, GLOBAL(version), NULL, N_("the version")},
    {0},
};

/* How many of the words that were typed name a command ("backup create", or
 * "doctor", which is of no group); 0: they name another. */
static size_t
match_words(const struct command *command, char *const *words)
{
	const char *verb = strchr(command->words, ' ');
	size_t group = strcspn(command->words, " ");

	if (words[0] == NULL)
		return 0;
	if (command->alias != NULL && strcmp(words[0], command->alias) == 0)
		return 1;
	if (strlen(words[0]) != group ||
	    strncmp(words[0], command->words, group) != 0)
		return 0;
	if (verb == NULL)
		return 1;
	return words[1] != NULL && strcmp(words[1], verb + 1) == 0 ? 2 : 0;
}

const struct command *
command_find(char *const *words, size_t *ret_used)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		size_t used = match_words(commands[i], words);

		if (used == 0)
			continue;
		*ret_used = used;
		return commands[i];
	}
	return NULL;
}

bool
command_is_group(const char *word)
{
	for (size_t i = 0; word != NULL && commands[i] != NULL; i++) {
		if (text_starts_with(commands[i]->words, word) &&
		    commands[i]->words[strlen(word)] == ' ')
			return true;
	}
	return false;
}

static int
unknown_command(char *const *words, struct error *err)
{
	if (command_is_group(words[0]) && words[1] == NULL)
		error_set(err, ERROR_USAGE, _("what shall '%s' do?"), words[0]);
	else if (command_is_group(words[0]))
		error_set(err, ERROR_USAGE, _("unknown command '%s %s'"),
		    words[0], words[1]);
	else
		error_set(
		    err, ERROR_USAGE, _("unknown command '%s'"), words[0]);
	return error_hint(err,
	    command_is_group(words[0]) ? "anklume help %s" : "anklume help%.0s",
	    words[0]);
}

/* "help", "-h" and no words at all show usage, of what is named. */
static void
show_help(char *const *words)
{
	const struct command *command;
	size_t used;

	if (words[0] != NULL && strcmp(words[0], "help") == 0)
		words++;
	command = command_find(words, &used);
	if (command != NULL)
		usage_print_command(command);
	else
		usage_print_list(command_is_group(words[0]) ? words[0] : NULL);
}

/* One word too many; perhaps it should have been an option. */
static void
refuse_word(const char *word, struct error *err)
{
	auto_instance_word struct instance_word parsed = {0};

	if (instance_word_parse(word, &parsed, err) == 0 ||
	    err->hint[0] == '\0') {
		error_clear(err);
		error_set(
		    err, ERROR_USAGE, _("'%s' is one word too many"), word);
	}
}

static int
check_arguments(const struct command *command, size_t count,
    char *const *arguments, struct error *err)
{
	if (count < command->arguments_min)
		error_set(err, ERROR_USAGE, _("'%s' wants '%s'"),
		    command->words, _(command->arguments));
	else if (count > command->arguments_max)
		refuse_word(arguments[command->arguments_max], err);
	else
		return 0;
	if (err->hint[0] != '\0')
		return -1;
	return error_hint(err, "anklume help %s", command->words);
}

static int
parse_timeout(
    const struct global_options *global, int *ret_seconds, struct error *err)
{
	uint64_t seconds = TIMEOUT_DEFAULT_S;

	if (global->timeout != NULL &&
	    (!text_parse_number(global->timeout, TIMEOUT_MAX_S, &seconds) ||
		seconds == 0))
		return error_set(err, ERROR_USAGE,
		    _("--timeout wants seconds, 1 to %d, not '%s'"),
		    TIMEOUT_MAX_S, global->timeout);
	*ret_seconds = (int)seconds;
	return 0;
}

static const char *
chosen_project(const struct global_options *global)
{
	const char *current = getenv("INCUS_PROJECT");

	if (global->project != NULL)
		return global->project;
	return current != NULL && *current != '\0' ? current : NULL;
}

static int
run_command(const struct command *command, int argc, char **argv,
    struct global_options *global, struct error *err)
{
	auto_free void *options = calloc(1, command->options_size + 1);
	auto_config struct config config = {0};
	struct option_target targets[] = {
	    {global_option_specs, global}, {command->options, options}, {0}};
	struct invocation invocation = {
	    .global = global, .config = &config, .options = options};
	char **arguments = NULL;
	struct output *output;
	int status;

	if (options == NULL)
		return error_set_memory(err);
	if (options_parse(argc, argv, targets, true, &arguments, err) < 0) {
		error_hint(err, "anklume help %s", command->words);
		return -1;
	}
	if (global->help) {
		usage_print_command(command);
		return 0;
	}
	while (arguments[invocation.argument_count] != NULL)
		invocation.argument_count++;
	if (check_arguments(
		command, invocation.argument_count, arguments, err) < 0 ||
	    parse_timeout(global, &invocation.timeout_s, err) < 0 ||
	    (command->configured && config_read(&config, err) < 0))
		return -1;

	output = output_new(global, err);
	if (output == NULL)
		return -1;
	invocation.arguments = (const char *const *)arguments;
	invocation.project = chosen_project(global);
	invocation.output = output;
	(void)command->run(&invocation, err);
	/* gpg hears the same Ctrl-C: its failure is not the cause. */
	if (error_is_set(err) && interrupt_seen() &&
	    err->code != ERROR_INTERRUPTED && err->code != ERROR_TERMINATED) {
		error_clear(err);
		(void)interrupt_check(err);
	}
	status = output_finish(output, command->words, err);
	output_free(output);
	return status;
}

/* "--json", or a beginning of it, which getopt takes for the whole; and a form
 * that scripts read, behind --format. */
static bool
is_for_scripts(const char *word)
{
	static const char *const forms[] = {"json", "nagios", "prometheus"};

	if (text_starts_with(word, "--format="))
		word += strlen("--format=");
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcmp(word, forms[i]) == 0)
			return true;
	}
	return strlen(word) > strlen("--") && text_starts_with("--json", word);
}

/* Words in the user's language, unless a script reads them. */
static void
choose_language(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (is_for_scripts(argv[i]))
			return;
	}
	(void)setlocale(LC_MESSAGES, "");
	(void)setlocale(LC_CTYPE, "");
	(void)bindtextdomain("anklume", LOCALE_DIR);
	(void)bind_textdomain_codeset("anklume", "UTF-8");
	(void)textdomain("anklume");
}

/* The end of a run that had no output of its own: help, or an early error. */
static int
finish_early(
    const struct global_options *global, const char *command, struct error *err)
{
	struct global_options plain = {.json = global->json};
	struct error failure = {0};
	struct output *output;
	int status;

	/* Help is no object. */
	if (!error_is_set(err))
		plain.json = false;
	output = output_new(&plain, &failure);
	status = output != NULL ? output_finish(output, command, err)
				: (int)err->code;
	output_free(output);
	return status;
}

/* Options may also stand between a group and its verb; *words is moved to the
 * verb. NULL with help shown or err set. */
static const struct command *
find_in_group(
    int argc, char ***words, struct global_options *global, struct error *err)
{
	struct option_target targets[] = {{global_option_specs, global}, {0}};
	char **rest = NULL;
	char *both[3] = {(*words)[0]};
	const struct command *command;
	size_t used;

	if (options_parse(argc, *words, targets, false, &rest, err) < 0)
		return NULL;
	both[1] = rest[0];
	command = command_find(both, &used);
	if (command == NULL && global->help)
		show_help(both);
	else if (command == NULL)
		unknown_command(both, err);
	*words = rest;
	return command;
}

int
command_line_run(int argc, char **argv)
{
	struct global_options global = {0};
	struct option_target targets[] = {{global_option_specs, &global}, {0}};
	const struct command *command;
	struct error err = {0};
	char **words = NULL;
	size_t used = 0;
	int status;

	choose_language(argc, argv);
	if (complete_is_asked(argc, argv))
		return complete_run((size_t)(argc - 3), argv + 3);
	if (interrupt_install(&err) < 0 ||
	    options_parse(argc, argv, targets, false, &words, &err) < 0)
		return finish_early(&global, "", &err);
	if (global.version) {
		(void)printf("anklume %s\n", ANKLUME_VERSION);
		return finish_early(&global, "", &err);
	}
	if (global.help || words[0] == NULL || strcmp(words[0], "help") == 0) {
		show_help(words);
		return finish_early(&global, "", &err);
	}
	command = command_find(words, &used);
	/* For getopt the last word of the command takes argv[0]'s place. */
	if (command != NULL)
		words += used - 1;
	else if (command_is_group(words[0]))
		command = find_in_group(
		    argc - (int)(words - argv), &words, &global, &err);
	else
		unknown_command(words, &err);
	if (command == NULL)
		return finish_early(&global, "", &err);

	status = run_command(
	    command, argc - (int)(words - argv), words, &global, &err);
	return status < 0 ? finish_early(&global, command->words, &err)
			  : status;
}
