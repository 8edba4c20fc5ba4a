/* yaml_json.h - a place in a YAML document as JSON, for those that compare */

#ifndef ANKLUME_BASE_YAML_JSON_H
#define ANKLUME_BASE_YAML_JSON_H

#include "base/json.h"
#include "base/yaml.h"

struct error;

/* Every scalar becomes a string, whatever YAML would make of it; what is
 * missing becomes null. A key that stands twice, and a text that is not UTF-8
 * or has a NUL, are ERROR_DAMAGED. Owned by the caller; NULL with err set. */
json_t *yaml_to_json(struct yaml_node node, struct error *err);

#endif
