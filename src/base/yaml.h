/* yaml.h - one YAML document as JSON; the only place that names libyaml
 *
 * The text may be hostile: it is bounded in bytes by the caller, in depth and
 * nodes here. What readers of YAML understand in different ways is refused:
 * aliases, tags, merge keys ("<<"), keys that are no text or stand twice. */

#ifndef ANKLUME_BASE_YAML_H
#define ANKLUME_BASE_YAML_H

#include "base/json.h"

struct error;

/* Parse exactly one document of UTF-8 text. Every scalar becomes a string,
 * whatever YAML would make of it, but for a plain null. NULL with
 * ERROR_DAMAGED; `what` names the source in the message. The caller owns it. */
json_t *yaml_parse(
    const char *bytes, size_t length, const char *what, struct error *err);

#endif
