/* backup_each.h - one verb over several archives, whatever becomes of each */

#ifndef ANKLUME_TRANSFER_BACKUP_EACH_H
#define ANKLUME_TRANSFER_BACKUP_EACH_H

#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

struct backup_choice;

/* Told of each archive as soon as it is done. `result` has "status" by then
 * (what the exit status would be for it alone), and "problem" unless that is 0.
 */
struct backup_listener {
	void (*tell)(void *data, const json_t *result); /* may be NULL */
	void *data;
};

struct backup_verb {
	/* Do it to one archive. `result`, an object that has "path", is added
	 * to; on failure, too. */
	int (*act)(
	    void *data, const char *path, json_t *result, struct error *err);
	void *data;
	struct backup_listener listener;
};

/* Of a run over several. */
struct backup_tally {
	size_t count;
	size_t failed;
	size_t grave; /* of these, with the code that was asked about */
};

/* An only archive fails with its own error; of several, failures are counted
 * and the run goes on, until it is interrupted. `results` gets an object for
 * each. */
int backup_each(const struct backup_choice *choice,
    const struct backup_verb *verb, enum error_code grave, json_t *results,
    struct backup_tally *ret_tally, struct error *err);

#endif
