/* config_value.h - values of the daemon's configuration keys */

#ifndef ANKLUME_INCUS_CONFIG_VALUE_H
#define ANKLUME_INCUS_CONFIG_VALUE_H

#include <stdbool.h>

#include "base/json.h"

/* Whether a key of `config` is set and true: "true", "1", "yes" or "on", in any
 * case (incus, shared/util/boolean.go, IsTrue). `config` may be NULL. */
bool config_is_true(const json_t *config, const char *key);

#endif
