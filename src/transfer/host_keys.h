/* host_keys.h - keys and devices of an instance that give the host away
 *
 * Who sets them is root on the host, or reaches its devices and files. From an
 * archive they are taken only when somebody has said so. */

#ifndef ANKLUME_TRANSFER_HOST_KEYS_H
#define ANKLUME_TRANSFER_HOST_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

struct error;

/* What is let through. Borrowed. */
struct host_keys_leave {
	bool all;		    /* whatever it is */
	const char *const *allowed; /* lists of names, separated by commas */
	size_t allowed_count;
	const json_t *same_as; /* an api.Instance: what it has, too; NULL */
};

/* Whether a key of the configuration is one of them; its value may still make
 * it harmless. */
bool host_keys_has(const char *key);

/* Add each to `found`, an array, as {"name": "raw.lxc" or "devices.NAME",
 * "value": ...}. `instance` has "config" and "devices", as an api.Instance, an
 * api.InstanceSnapshot and an index have. */
int host_keys_collect(const json_t *instance, json_t *found, struct error *err);

/* All of them are let through, or ERROR_UNSAFE with the option that does it. */
int host_keys_check(const json_t *found, const struct host_keys_leave *leave,
    struct error *err);

#endif
