/* complete.h - what a shell offers while a command is being typed
 *
 * The scripts of completions/ run "anklume complete -- WORD...", where the last
 * WORD is the one that is being typed and may be empty. Each line of the answer
 * is one word that could stand there, in whole, and perhaps a tab and what it
 * does. The lines ":file" and ":dir" leave files or directories to the shell:
 * what is typed, behind the "=" of an option. Nobody would read an error: there
 * are none, and the status is 0. */

#ifndef ANKLUME_CLI_COMPLETE_H
#define ANKLUME_CLI_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether it is a shell that asks. */
bool complete_is_asked(int argc, char *const *argv);

/* Print the answer: the exit status. After some seconds the process ends,
 * whatever has been printed by then. */
int complete_run(size_t count, char *const *words);

#endif
