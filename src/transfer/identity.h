/* identity.h - what must not exist twice: MAC addresses and UUIDs */

#ifndef ANKLUME_TRANSFER_IDENTITY_H
#define ANKLUME_TRANSFER_IDENTITY_H

#include "base/json.h"

struct error;
struct incus_client;
struct instance_ref;

/* Take the old identity from a stopped instance, so that the daemon gives it a
 * new one when it starts. */
int identity_renew(struct incus_client *client,
    const struct instance_ref *instance, struct error *err);

/* Whether an instance has any of the identity that `config`, an instance's own
 * keys, holds: 1, 0, or -1. One that is gone has none. */
int identity_is_shared(struct incus_client *client,
    const struct instance_ref *instance, const json_t *config,
    struct error *err);

#endif
