/* command.h - a command describes itself; main.c only lists the descriptions */

#ifndef ANKLUME_CLI_COMMAND_H
#define ANKLUME_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"

struct config;
struct error;
struct output;

/* What may stand before and after any command. */
struct global_options {
	bool help;
	bool version;
	bool json;
	bool quiet;
	bool verbose;
	bool no_color;
	bool dry_run;
	bool yes;
	const char *project;
	const char *timeout;
};

extern const struct option_spec global_option_specs[];

/* What a command gets to work with. */
struct invocation {
	const struct global_options *global;
	int timeout_s;	     /* of --timeout, or the default */
	const char *project; /* of --project or INCUS_PROJECT, or NULL */
	const struct config *config; /* empty for commands that read none */
	void *options;		     /* the command's own, filled */
	const char *const *arguments;
	size_t argument_count;
	struct output *output;
};

#define COMMAND_KINDS 3

struct command {
	const char *words;     /* "backup create", or one word: "doctor" */
	const char *alias;     /* "copy"; NULL is none */
	const char *arguments; /* "INSTANCE", for usage; N_(); NULL is none */
	const char *summary;   /* one line of the command list; N_() */
	const char *details;   /* lines for its help; N_(); NULL is none */
	const char *examples;  /* lines, each indented by two; NULL is none */
	const struct option_spec *options; /* NULL is none */
	size_t options_size; /* of the struct that the table fills */
	bool configured;     /* the configuration is read for it */
	size_t arguments_min;
	size_t arguments_max;
	/* What the first ones are; the last that is no WORD_ANY is what all
	 * that follow are, too. */
	enum word_kind argument_kinds[COMMAND_KINDS];
	int (*run)(const struct invocation *invocation, struct error *err);
};

/* Arguments without a limit of their own. */
#define ARGUMENTS_ANY 4096

extern const struct command backup_ack_command;
extern const struct command backup_adopt_command;
extern const struct command backup_create_command;
extern const struct command backup_drill_command;
extern const struct command backup_extract_command;
extern const struct command backup_files_command;
extern const struct command backup_list_command;
extern const struct command backup_prune_command;
extern const struct command backup_reencrypt_command;
extern const struct command backup_restore_command;
extern const struct command backup_show_command;
extern const struct command backup_status_command;
extern const struct command backup_verify_command;
extern const struct command config_show_command;
extern const struct command doctor_command;
extern const struct command portal_check_command;
extern const struct command portal_copy_command;
extern const struct command portal_log_command;
extern const struct command snapshot_create_command;
extern const struct command snapshot_delete_command;
extern const struct command snapshot_list_command;
extern const struct command snapshot_restore_command;

/* All of them, NULL at the end. */
extern const struct command *const commands[];

/* Which command the first words name, and how many words that took; `words`
 * ends with NULL. NULL when there is none. */
const struct command *command_find(char *const *words, size_t *ret_used);

/* Whether a word begins commands of two words. */
bool command_is_group(const char *word);

/* Parse, choose, run: the exit status. */
int command_line_run(int argc, char **argv);

#endif
