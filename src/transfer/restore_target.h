/* restore_target.h - where an archive's instance or volume goes */

#ifndef ANKLUME_TRANSFER_RESTORE_TARGET_H
#define ANKLUME_TRANSFER_RESTORE_TARGET_H

#include <stdbool.h>

#include "incus/instance.h"

struct backup_source;
struct error;
struct restore_request;

/* Project and name, owned by the caller: what was asked for, else what the
 * record or a trusted signer says; the name also as the user has typed it in
 * the name of the file, where the archive agrees. An archive of unknown origin
 * chooses neither: ERROR_USAGE. *ret_presumed: something was taken that only
 * the archive's digest proves. */
int restore_target_choose(const struct restore_request *request,
    const char *file, const struct backup_source *source,
    struct instance_ref *ret_target, bool *ret_presumed, struct error *err);

/* The pool that a volume goes to, in the same way; but as for an instance, an
 * archive of unknown origin may choose it. Heap. */
char *restore_target_pool(const struct restore_request *request,
    const struct backup_source *source, bool *ret_presumed, struct error *err);

#endif
