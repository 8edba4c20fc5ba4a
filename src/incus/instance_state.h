/* instance_state.h - whether an instance runs, and making it so */

#ifndef ANKLUME_INCUS_INSTANCE_STATE_H
#define ANKLUME_INCUS_INSTANCE_STATE_H

#include <stdbool.h>

#include "base/json.h"

struct error;
struct incus_client;
struct instance_ref;

/* Whether the object (api.Instance) says that it runs (or is frozen). */
bool instance_is_running(const json_t *instance);

bool instance_is_frozen(const json_t *instance);

/* Each waits for the daemon's work to end. */
int incus_instance_start(struct incus_client *client,
    const struct instance_ref *ref, struct error *err);
int incus_instance_stop(struct incus_client *client,
    const struct instance_ref *ref, struct error *err);

/* Stop all its processes where they are (a virtual machine: its processors).
 * ERROR_EXISTS when it is frozen already. After any other failure the daemon
 * may still do it: thaw. */
int incus_instance_freeze(struct incus_client *client,
    const struct instance_ref *ref, struct error *err);

/* Make sure that it is not frozen; one that is gone is not. *ret_was_frozen
 * becomes true where it was found frozen, also when the rest fails. */
int incus_instance_thaw(struct incus_client *client,
    const struct instance_ref *ref, bool *ret_was_frozen, struct error *err);

#endif
