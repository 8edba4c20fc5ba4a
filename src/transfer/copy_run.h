/* copy_run.h - one run of copy: its ends, from words to sessions; for copy*.c
 * only */

#ifndef ANKLUME_TRANSFER_COPY_RUN_H
#define ANKLUME_TRANSFER_COPY_RUN_H

#include "stream/digest.h"
#include "transfer/copy_end.h"
#include "transfer/copy_policy.h"

struct copy_request;
struct error;
struct incus_client;
struct watch;

struct copy {
	struct incus_client *client;
	struct copy_policy policy;
	const struct copy_request *request;
	const struct watch *watch;
	struct copy_end *sources;
	struct copy_end destination;
	struct digest last; /* of the last file */
};

void copy_run_clear(struct copy *copy);

/* Take the words apart, and find the instances: nothing is read or made. */
int copy_run_parse(struct copy *copy, struct error *err);
int copy_run_resolve(struct copy *copy, struct error *err);

/* What a source is called inside a directory; NULL for standard input. */
const char *copy_run_name(const struct copy_end *end);

/* Several sources need a directory to go to, and names of their own in it. */
int copy_run_check_destination(struct copy *copy, struct error *err);

/* Sessions into both ends, ready; both are asked before either is waited for.
 */
int copy_run_open(
    struct copy *copy, struct copy_end *source, struct error *err);

#endif
