/* extract_run.h - one run of extract: its archive, its policy and where it goes
 * to; for extract*.c only */

#ifndef ANKLUME_TRANSFER_EXTRACT_RUN_H
#define ANKLUME_TRANSFER_EXTRACT_RUN_H

#include "transfer/copy.h"
#include "transfer/copy_end.h"
#include "transfer/copy_policy.h"
#include "transfer/extract_tops.h"
#include "transfer/extract_tree.h"
#include "transfer/tree_target.h"

struct error;
struct extract_request;
struct incus_client;
struct watch;

struct extract {
	const struct extract_request *request;
	const struct watch *watch;
	struct copy_request copy; /* what of it a copy would be asked */
	struct incus_client *client;
	struct copy_policy policy;
	char *archive;
	char *source_text;
	struct copy_end source; /* whom the policy takes the files to be of */
	struct copy_end destination;
	struct tree_target target; /* of what goes to no pipe */
	struct extract_tops tops;
	bool proven;	    /* the archive, before anything was taken out */
	bool stopped_early; /* it was not read to its end */
};

/* Take the words apart: nothing is read or made. */
int extract_run_parse(struct extract *run, struct error *err);

/* Find the archive, the instance and the policy. */
int extract_run_resolve(struct extract *run, struct error *err);

/* Prove the archive where that is asked for, or the policy has to know whose it
 * is, and ask the policy: nothing is made. */
int extract_run_ask(struct extract *run, struct error *err);

/* Find, or make, the place for each path; standard output needs none. */
int extract_run_open(struct extract *run, struct error *err);

/* What asks the policy of each file; nothing where there is none. */
struct extract_judge extract_run_judge(struct extract *run);

void extract_run_clear(struct extract *run);

#endif
