/* backup_failure.h - why the daemon's export of an instance broke off */

#ifndef ANKLUME_INCUS_BACKUP_FAILURE_H
#define ANKLUME_INCUS_BACKUP_FAILURE_H

#include <stdbool.h>

struct backup_subject;
struct error;
struct incus_client;

/* A direct export that fails is a stream that is cut, and the reason stands in
 * an operation that the daemon forgets after 5 s: the latest failure to back
 * the instance up, waited for shortly. Heap; NULL with err clear when there is
 * none. */
char *incus_backup_failure(struct incus_client *client,
    const struct backup_subject *of, struct error *err);

/* Whether the daemon's words mean that a file became shorter or went away while
 * it was read. */
bool backup_failure_is_change(const char *text);

#endif
