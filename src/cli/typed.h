/* typed.h - a command line that is still being typed, as far as it goes
 *
 * It is read by the same tables as a whole one (options.h), but nothing in it
 * is refused: what is wrong so far leaves nothing to offer. */

#ifndef ANKLUME_CLI_TYPED_H
#define ANKLUME_CLI_TYPED_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"

struct command;

/* Where its last word stands. */
enum typed_place {
	TYPED_NOWHERE, /* behind something that is no command */
	TYPED_GROUP,
	TYPED_VERB,
	TYPED_OPTION,
	TYPED_VALUE, /* of an option */
	TYPED_ARGUMENT,
};

/* More of each are not remembered. */
#define TYPED_MAX 64

/* All pointers are borrowed, of the words or of the tables. */
struct typed {
	enum typed_place place;
	const char *word;     /* what is there of it; may be empty */
	const char *before;   /* what the shell's word has before it */
	size_t before_length; /* of "--from=" and its kin; else 0 */
	bool ended;	      /* by "--": no options any more */
	bool help;	      /* behind "help" */
	char *group;
	const struct command *command;
	const struct option_spec *option; /* of TYPED_VALUE */
	size_t argument_count;		  /* those before the word */
	const char *arguments[TYPED_MAX];
	size_t value_count;
	struct typed_value {
		const struct option_spec *option;
		const char *text;
	} values[TYPED_MAX];
};

/* `words` are those behind "anklume", at least one; the last one is the one
 * that is being typed. */
void typed_read(struct typed *ret_typed, size_t count, char *const *words);

/* The last value of this kind that an option has, or the first argument of this
 * kind; NULL. */
const char *typed_value(const struct typed *typed, enum word_kind kind);
const char *typed_argument(const struct typed *typed, enum word_kind kind);

/* What a command's argument is. */
enum word_kind typed_argument_kind(const struct command *command, size_t index);

#endif
