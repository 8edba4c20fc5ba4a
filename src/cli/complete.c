#include "cli/complete.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/typed.h"
#include "transfer/complete.h"
#include "transfer/configuration.h"

/* Nobody waits longer behind a key that was pressed. */
#define LIMIT_S 2

bool
complete_is_asked(int argc, char *const *argv)
{
	return argc > 3 && strcmp(argv[1], "complete") == 0 &&
	       strcmp(argv[2], "--") == 0;
}

static void
on_alarm(int number)
{
	(void)number;
	_exit(0);
}

/* However the daemon or a network's directory drags it out. Each line is
 * written at once, so that those that there are have been seen. */
static void
limit_time(void)
{
	struct sigaction action = {.sa_handler = on_alarm};

	(void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	if (sigaction(SIGALRM, &action, NULL) == 0)
		(void)alarm(LIMIT_S);
}

/* A word of ours; `help` may be NULL. */
static void
offer(const struct typed *typed, const char *word, const char *help)
{
	if (!text_starts_with(word, typed->word))
		return;
	(void)printf("%.*s%s%s%s\n", (int)typed->before_length, typed->before,
	    word, help != NULL ? "\t" : "", help != NULL ? _(help) : "");
}

static void
offer_groups(const struct typed *typed)
{
	const char *before = "";

	for (size_t i = 0; commands[i] != NULL; i++) {
		const char *words = commands[i]->words;
		struct error ignored = {0};
		auto_free char *group =
		    text_copy(words, strcspn(words, " "), &ignored);

		if (commands[i]->alias != NULL)
			offer(typed, commands[i]->alias, commands[i]->summary);
		/* The table has them together. */
		if (group != NULL && (!text_starts_with(before, group) ||
					 before[strlen(group)] != ' '))
			offer(typed, group,
			    strcmp(words, group) == 0 ? commands[i]->summary
						      : NULL);
		before = words;
	}
	if (!typed->help)
		offer(typed, "help", NULL);
}

static void
offer_verbs(const struct typed *typed)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		const char *words = commands[i]->words;
		size_t group = strcspn(words, " ");

		if (words[group] == ' ' &&
		    strncmp(words, typed->group, group) == 0 &&
		    typed->group[group] == '\0')
			offer(typed, words + group + 1, commands[i]->summary);
	}
}

static void
offer_option_specs(const struct typed *typed, const struct option_spec *specs)
{
	for (; specs != NULL && specs->name != NULL; specs++) {
		struct error ignored = {0};
		auto_free char *word =
		    text_format(&ignored, "--%s", specs->name);

		if (word != NULL && specs->help != NULL)
			offer(typed, word, specs->help);
	}
}

static void
offer_options(const struct typed *typed)
{
	if (typed->command != NULL)
		offer_option_specs(typed, typed->command->options);
	offer_option_specs(typed, global_option_specs);
}

static void
offer_choices(const struct typed *typed, const char *choices)
{
	while (*choices != '\0') {
		size_t length = strcspn(choices, " ");
		struct error ignored = {0};
		auto_free char *word = text_copy(choices, length, &ignored);

		if (word != NULL)
			offer(typed, word, NULL);
		choices += length + (choices[length] == ' ');
	}
}

static void
on_name(void *context, const char *word)
{
	offer(context, word, NULL);
}

static void
leave_to_shell(const char *what)
{
	(void)printf(":%s\n", what);
}

static const char *
chosen_project(const struct typed *typed)
{
	const char *project = typed_value(typed, WORD_PROJECT);

	if (project == NULL)
		project = getenv("INCUS_PROJECT");
	return project != NULL && *project != '\0' ? project : NULL;
}

/* With --from DIR, else where the configuration has backups put. */
static void
choose_archives(const struct typed *typed, struct config *config,
    struct completion *completion)
{
	struct error ignored = {0};

	completion->from = typed_value(typed, WORD_ARCHIVES);
	if (completion->from == NULL && config_read(config, &ignored) == 0 &&
	    config_is_set(config, CONFIG_OUTPUT))
		completion->from = config_text(config, CONFIG_OUTPUT);
}

/* Also another instance, where none of the snapshots begins so. */
static void
offer_snapshots(const struct typed *typed, struct completion *completion)
{
	const char *instance = typed_argument(typed, WORD_INSTANCE);
	struct error ignored = {0};

	if (instance != NULL)
		(void)complete_snapshots(completion, instance, &ignored);
	error_clear(&ignored);
	if (typed->place == TYPED_ARGUMENT && completion->offered == 0)
		(void)complete_instances(completion, "", &ignored);
}

/* What is no file of this side has an instance before its path (scp's rule). */
static void
offer_locations(const struct typed *typed, struct completion *completion)
{
	const char *colon = strchr(typed->word, ':');
	const char *slash = strchr(typed->word, '/');
	struct error ignored = {0};

	if (colon == NULL || (slash != NULL && slash < colon))
		leave_to_shell("file");
	(void)complete_instances(completion, ":", &ignored);
}

static void
offer_backups(struct completion *completion)
{
	struct error ignored = {0};

	(void)complete_archived(completion, true, &ignored);
	if (completion->offered == 0)
		leave_to_shell("file");
}

static void
offer_archived_snapshots(
    const struct typed *typed, struct completion *completion)
{
	const char *backup = typed_argument(typed, WORD_BACKUP);
	struct error ignored = {0};

	if (backup != NULL)
		(void)complete_archived_snapshots(completion, backup, &ignored);
}

static void
offer_kind(struct typed *typed, enum word_kind kind)
{
	auto_config struct config config = {0};
	struct completion completion = {.typed = typed->word,
	    .project = chosen_project(typed),
	    .timeout_s = LIMIT_S,
	    .offer = on_name,
	    .context = typed};
	struct error ignored = {0};

	switch (kind) {
	case WORD_PROJECT:
		(void)complete_projects(&completion, &ignored);
		return;
	case WORD_INSTANCE:
		(void)complete_instances(&completion, "", &ignored);
		return;
	case WORD_SNAPSHOT:
		offer_snapshots(typed, &completion);
		return;
	case WORD_POOL:
		(void)complete_pools(&completion, &ignored);
		return;
	case WORD_LOCATION:
		offer_locations(typed, &completion);
		return;
	case WORD_BACKUP:
		choose_archives(typed, &config, &completion);
		offer_backups(&completion);
		return;
	case WORD_ARCHIVED:
		choose_archives(typed, &config, &completion);
		(void)complete_archived(&completion, false, &ignored);
		return;
	case WORD_ARCHIVED_SNAPSHOT:
		choose_archives(typed, &config, &completion);
		offer_archived_snapshots(typed, &completion);
		return;
	case WORD_ARCHIVES:
	case WORD_DIRECTORY:
		leave_to_shell("dir");
		return;
	case WORD_FILE:
		leave_to_shell("file");
		return;
	case WORD_ANY:
	case WORD_CHOICE:
	case WORD_ARCHIVED_FILE:
		return;
	}
}

/* A command that takes no further argument may have an option. */
static void
offer_argument(struct typed *typed)
{
	if (typed->argument_count >= typed->command->arguments_max) {
		if (!typed->ended)
			offer_options(typed);
		return;
	}
	offer_kind(
	    typed, typed_argument_kind(typed->command, typed->argument_count));
}

int
complete_run(size_t count, char *const *words)
{
	struct typed typed;

	limit_time();
	typed_read(&typed, count, words);
	switch (typed.place) {
	case TYPED_GROUP:
		offer_groups(&typed);
		break;
	case TYPED_VERB:
		offer_verbs(&typed);
		break;
	case TYPED_OPTION:
		offer_options(&typed);
		break;
	case TYPED_VALUE:
		if (typed.option->word == WORD_CHOICE)
			offer_choices(&typed, typed.option->choices);
		else
			offer_kind(&typed, typed.option->word);
		break;
	case TYPED_ARGUMENT:
		offer_argument(&typed);
		break;
	case TYPED_NOWHERE:
		break;
	}
	return 0;
}
