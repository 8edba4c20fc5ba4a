/* restore_name.h - who else has the name, or the identity, of what is restored
 */

#ifndef ANKLUME_TRANSFER_RESTORE_NAME_H
#define ANKLUME_TRANSFER_RESTORE_NAME_H

#include <stdbool.h>

#include "transfer/replacement.h"

struct backup_index;
struct error;
struct incus_client;
struct instance_ref;
struct restore_request;
struct watch;

struct restore_name {
	/* All borrowed. */
	const struct restore_request *request;
	const struct watch *watch;
	struct incus_client *client;
	const struct backup_index *index;
	const struct instance_ref *target;

	/* Found: */
	struct replacement replacement;
	bool new_identity;
};

/* Is the name free in its project, or may its holder be replaced? Is there a
 * twin, or a namesake elsewhere, which is noted? ERROR_EXISTS, ERROR_DENIED. */
int restore_name_check(struct restore_name *name, struct error *err);

/* Ask whether the holder may be replaced, should there be one. */
int restore_name_confirm(const struct restore_name *name, struct error *err);

#endif
