#include "cli/usage.h"

#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"

static void
print_row(const struct command *command)
{
	char words[96];

	(void)snprintf(words, sizeof(words), "%s %s", command->words,
	    command->arguments != NULL ? _(command->arguments)
				       : _("[OPTIONS]"));
	(void)printf("  %-38s %s\n", words, _(command->summary));
}

void
usage_print_list(const char *group)
{
	(void)printf("%s\n\n%s\n",
	    _("anklume [GLOBAL] GROUP VERB [OPTIONS] "
	      "ARGUMENTS"),
	    _("Commands:"));
	for (size_t i = 0; commands[i] != NULL; i++) {
		const char *words = commands[i]->words;

		if (group == NULL || (text_starts_with(words, group) &&
					 words[strlen(group)] == ' '))
			print_row(commands[i]);
	}
	(void)printf("\n%s\n", _("Global options:"));
	options_print(stdout, global_option_specs);
	(void)printf("\n%s\n", _("anklume help GROUP VERB tells more; so does "
				 "man anklume."));
}

/* Each line indented. */
static void
print_details(const char *line)
{
	while (*line != '\0') {
		size_t length = strcspn(line, "\n");

		(void)printf("  %.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

void
usage_print_command(const struct command *command)
{
	(void)printf("anklume %s [%s]%s%s\n", command->words, _("OPTIONS"),
	    command->arguments != NULL ? " " : "",
	    command->arguments != NULL ? _(command->arguments) : "");
	if (command->alias != NULL)
		(void)printf("anklume %s [%s] %s\n", command->alias,
		    _("OPTIONS"), _(command->arguments));
	(void)printf("\n  %s\n", _(command->summary));
	if (command->details != NULL)
		print_details(_(command->details));
	if (command->options != NULL) {
		(void)printf("\n%s\n", _("Options:"));
		options_print(stdout, command->options);
	}
	(void)printf("\n%s\n", _("Global options:"));
	options_print(stdout, global_option_specs);
	if (command->examples != NULL)
		(void)printf("\n%s\n%s", _("Examples:"), command->examples);
}
