/* yaml.h - one YAML document in memory, read by path; the only place that names
 * libyaml
 *
 * The text may be hostile: it is bounded in bytes by the caller, in depth and
 * nodes here, and aliases are refused, so nothing can be expanded. */

#ifndef ANKLUME_BASE_YAML_H
#define ANKLUME_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct yaml;

/* A place in the document; {0} is "missing", and reads as missing below. */
struct yaml_node {
	const struct yaml *yaml;
	int index; /* libyaml's, from 1 */
};

/* Parse exactly one document. NULL with ERROR_DAMAGED; `what` names the source
 * in the message. */
struct yaml *yaml_parse(
    const char *bytes, size_t length, const char *what, struct error *err);

/* Not yaml_free(): libyaml has a function of that name, which ours would stand
 * in for, in libyaml too. NULL is fine. */
void yaml_dispose(struct yaml *yaml);

struct yaml_node yaml_root(const struct yaml *yaml);

bool yaml_exists(struct yaml_node node);
bool yaml_is_map(struct yaml_node node);
bool yaml_is_sequence(struct yaml_node node);

/* The value at `key` of a mapping; the first, should a key stand twice. */
struct yaml_node yaml_get(struct yaml_node map, const char *key);

/* The nth pair of a mapping, from 0; false past the end or when not a mapping.
 * *ret_key is borrowed from the document. */
bool yaml_pair(struct yaml_node map, size_t nth, const char **ret_key,
    struct yaml_node *ret_value);

/* The nth item of a sequence, from 0; missing past the end. */
struct yaml_node yaml_item(struct yaml_node sequence, size_t nth);

/* A scalar's text, borrowed; NULL when missing, not a scalar, or with a NUL. */
const char *yaml_text(struct yaml_node scalar);

static inline void
auto_yaml_cleanup(struct yaml **yaml)
{
	yaml_dispose(*yaml);
}

/* An owning local. */
#define auto_yaml __attribute__((cleanup(auto_yaml_cleanup)))

#endif
