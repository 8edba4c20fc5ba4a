/* job.h - a piece of work in a process of its own, which tells what it does
 *
 * Several run side by side, and what befalls one does not befall the others.
 * The child is a process group of its own, so that an interruption at the
 * terminal reaches it once, through its parent; it ends when that ends. */

#ifndef ANKLUME_TRANSFER_JOB_H
#define ANKLUME_TRANSFER_JOB_H

#include <stdbool.h>

#include "base/json.h"

struct error;
struct job;
struct watch;

struct job_work {
	/* In the child: whatever is opened here is its own. *result, an
	 * object, may be added to; it stays below JOB_RESULT_MAX_BYTES. */
	int (*run)(const void *data, const struct watch *watch, json_t *result,
	    struct error *err);
	const void *data;
	bool details; /* somebody listens to them */
};

#define JOB_RESULT_MAX_BYTES (64 * 1024)

struct job *job_start(const struct job_work *work, struct error *err);

/* Readable when it has something to tell. */
int job_fd(const struct job *job);

/* Hand what it tells, as far as it has come, on to `watch`. 1 while it runs; 0
 * when it has ended: *ret_result (owned by the caller) is the object, and
 * *ret_failure is what the work has failed with, or clear. A child that was
 * killed has failed. */
int job_hear(struct job *job, const struct watch *watch, json_t **ret_result,
    struct error *ret_failure);

/* Pass a signal on. */
void job_signal(const struct job *job, int number);

/* Ends a child that still runs, and waits for that. NULL is fine. */
void job_free(struct job *job);

#endif
