/* restrictions.h - what a restricted project would not let an archive's
 * instance have
 *
 * A look ahead at the plain cases of what the daemon judges itself when it
 * imports (incus, internal/server/project/permissions.go), whose word is the
 * last: paths of disks, pools and networks of a project, and profiles are left
 * to it. */

#ifndef ANKLUME_TRANSFER_RESTRICTIONS_H
#define ANKLUME_TRANSFER_RESTRICTIONS_H

struct backup_index;
struct error;
struct incus_client;

/* ERROR_DENIED with all that the project forbids, and the commands that allow
 * it; also where it holds as many instances as it may. A project that is not
 * there forbids nothing. */
int restrictions_check(struct incus_client *client, const char *project,
    const struct backup_index *index, struct error *err);

#endif
