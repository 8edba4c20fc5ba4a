/* audited_run.h - what one run leaves in the audit trail: a line, whatever
 * became of it
 *
 * A transfer fills the struct as it learns more, and ends with
 * audited_run_end(). A killed run leaves no line: nothing can be written then.
 */

#ifndef ANKLUME_TRANSFER_AUDITED_RUN_H
#define ANKLUME_TRANSFER_AUDITED_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

struct error;
struct watch;

/* Where something comes from or goes to. All borrowed; NULL is not known, or
 * none. An `instance` that was not found may still be "PROJECT/INSTANCE", as
 * typed. A `path` without an instance is local, and becomes absolute; "-" is
 * standard input or output. */
struct audited_place {
	const char *project;
	const char *instance;
	const char *volume; /* POOL/VOLUME, instead of one */
	const char *snapshot;
	const char *path;
};

/* Places that are listed on one side; further ones are counted. */
#define AUDITED_PLACES_MAX 100

struct audited_run {
	const char *command; /* "portal copy"; static */
	bool dry_run;	     /* leaves no line */
	bool required;	     /* set by audited_run_check() */
	json_t *from;	     /* arrays; owned */
	json_t *to;
	size_t from_more; /* places that are not in them */
	size_t to_more;

	/* To be filled: */
	uint64_t done;	 /* files, or instances */
	uint64_t failed; /* of these */
	uint64_t size_bytes;
	const char *sha256; /* of the one file or archive; NULL is not known */
	const char *rule;   /* of the policy that decided; NULL is none */
};

/* The trail can be written now, or ERROR_DENIED where the policy has it
 * `required`. Before the first byte moves. */
int audited_run_check(
    struct audited_run *run, bool required, struct error *err);

/* The same by the policies in force, for what does not ask them otherwise: one
 * that cannot be read is ERROR_DENIED, for nobody knows what it wants. */
int audited_run_begin(struct audited_run *run, struct error *err);

void audited_run_from(
    struct audited_run *run, const struct audited_place *place);
void audited_run_to(struct audited_run *run, const struct audited_place *place);

/* The end of the run, with its failure, if any, in *err: write the line, and
 * free what *run holds. A trail that cannot be written is a note, or where it
 * is required and nothing else has failed, *err. Returns 0 or -1, as *err says.
 *
 * Wrong usage leaves no line: nothing was begun. */
int audited_run_end(
    struct audited_run *run, const struct watch *watch, struct error *err);

#endif
