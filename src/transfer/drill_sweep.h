/* drill_sweep.h - what drills that were killed have left in the daemon */

#ifndef ANKLUME_TRANSFER_DRILL_SWEEP_H
#define ANKLUME_TRANSFER_DRILL_SWEEP_H

struct error;
struct incus_client;
struct watch;

/* Take away the projects of drills whose process has ended, and say so. Those
 * that this host knows nothing of may be another host's: they are noted, and
 * left. */
int drill_sweep(
    struct incus_client *client, const struct watch *watch, struct error *err);

/* Take away one whose process has ended: its name is a lock that was left
 * (host_lock.h). */
int drill_sweep_remove(
    struct incus_client *client, const char *project, struct error *err);

#endif
