/* preflight.h - look before the leap: is all there that a restore needs? */

#ifndef ANKLUME_TRANSFER_PREFLIGHT_H
#define ANKLUME_TRANSFER_PREFLIGHT_H

struct backup_index;
struct error;
struct incus_client;

struct preflight_request {
	const char *project;
	const char *storage; /* NULL: the pool that the archive names */
};

/* Whether project, pool, profiles, networks and volumes exist in the daemon.
 * Everything that is missing is one ERROR_NOT_FOUND, with the commands that
 * make it. */
int preflight_check(struct incus_client *client,
    const struct backup_index *index, const struct preflight_request *request,
    struct error *err);

#endif
