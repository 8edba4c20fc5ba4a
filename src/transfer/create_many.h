/* create_many.h - several instances become archives, side by side */

#ifndef ANKLUME_TRANSFER_CREATE_MANY_H
#define ANKLUME_TRANSFER_CREATE_MANY_H

#include <stddef.h>

#include "base/json.h"
#include "transfer/create.h"
#include "transfer/create_choice.h"

struct error;
struct watch;

struct create_many_request {
	/* What holds for each; its `instance`, `found` and `keys` are not
	 * looked at, and `output` is a directory, below which each project has
	 * one. */
	struct create_request each;
	struct create_choice_request choice;
	size_t jobs; /* exports at once; 0: as many as there are processors */

	/* Told of each as soon as it is done; `result` has "project",
	 * "instance" or "volume" (POOL/VOLUME) and "status", and with that
	 * "path" or "error". */
	void (*done)(void *data, const json_t *result);
	void *data;
};

struct create_many_result {
	json_t *backups;  /* the objects above: volumes first, then by project
			   * and name */
	json_t *left_out; /* project, instance, reason */
};

void create_many_result_clear(struct create_many_result *result);

/* All names are found before the first byte. ERROR_PARTIAL when some have
 * failed, which does not keep the others from their turn; ERROR_LOCKED while
 * another such run fills the directory. */
int create_many(const struct create_many_request *request,
    const struct watch *watch, struct create_many_result *ret_result,
    struct error *err);

#endif
