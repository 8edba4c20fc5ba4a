/* options.h - typed options: tables in, fields of a struct out
 *
 * The words are getopt_long(3)'s: options may stand anywhere, "--opt value" and
 * "--opt=value", "--" ends them. Usage text comes from the same tables. */

#ifndef ANKLUME_CLI_OPTIONS_H
#define ANKLUME_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct error;

enum option_kind {
	OPTION_FLAG, /* bool */
	OPTION_TEXT, /* const char *; the last one counts */
	OPTION_LIST, /* struct option_list */
};

/* How often one option may be given. */
#define OPTION_LIST_MAX 64

struct option_list {
	size_t count;
	const char *items[OPTION_LIST_MAX];
};

/* What a word names, for a shell that completes it. */
enum word_kind {
	WORD_ANY,    /* nothing that could be offered */
	WORD_CHOICE, /* one of a few words */
	WORD_PROJECT,
	WORD_INSTANCE,
	WORD_SNAPSHOT, /* of the first instance of the line */
	WORD_POOL,
	WORD_LOCATION, /* in an instance, or a file of this side */
	WORD_BACKUP,   /* an instance that was backed up, or an archive */
	WORD_ARCHIVED, /* an instance that was backed up */
	WORD_ARCHIVED_SNAPSHOT, /* of the first backup of the line */
	WORD_ARCHIVED_FILE,	/* a path in it, which is not looked up */
	WORD_ARCHIVES,		/* a directory where backups are looked for */
	WORD_DIRECTORY,
	WORD_FILE,
};

struct option_spec {
	const char *name; /* long; NULL ends a table */
	char letter;	  /* short; 0 is none */
	enum option_kind kind;
	size_t offset;	     /* into the struct that is filled */
	const char *value;   /* "DIR", for usage; N_() */
	const char *help;    /* N_(); NULL hides it (an alias) */
	enum word_kind word; /* its value */
	const char *choices; /* of WORD_CHOICE, a blank between them */
};

/* A table (may be NULL) and the struct that it fills. */
struct option_target {
	const struct option_spec *specs;
	void *fields;
};

/* Parse argv[1..argc-1] against tables; {NULL, NULL} ends them. With
 * `anywhere`, options may follow arguments, and *ret_arguments are all
 * arguments in order; without, it stops at the first argument. *ret_arguments
 * points into argv, which is reordered. ERROR_USAGE. */
int options_parse(int argc, char **argv, const struct option_target *targets,
    bool anywhere, char ***ret_arguments, struct error *err);

/* One line for each option of a table. */
void options_print(FILE *out, const struct option_spec *specs);

#endif
