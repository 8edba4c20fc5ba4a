/* exec.h - a command inside a running instance, for what it returns */

#ifndef ANKLUME_INCUS_EXEC_H
#define ANKLUME_INCUS_EXEC_H

#include <stdint.h>

struct error;
struct incus_client;
struct instance_ref;

/* Run a line by the instance's own /bin/sh, its output thrown away, and give
 * its exit status. One that has not ended by `deadline_ms` (of clock_now_ms())
 * is left alone and counts as -1. */
int incus_exec(struct incus_client *client, const struct instance_ref *in,
    const char *line, int64_t deadline_ms, int *ret_status, struct error *err);

#endif
