/* json.h - JSON with limits; the only place that names jansson
 *
 * json_t and jansson's own functions are used through this header. The getters
 * never fail: what is missing or of another type reads as NULL, 0 or false, so
 * that a reply that lies cannot crash its reader. */

#ifndef ANKLUME_BASE_JSON_H
#define ANKLUME_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct error;

static inline void
auto_json_cleanup(json_t **value)
{
	json_decref(*value);
}

/* An owning local. */
#define auto_json __attribute__((cleanup(auto_json_cleanup)))

/* Parse `length` bytes of UTF-8 JSON; duplicate keys are refused. `what` names
 * the source in the message. NULL with ERROR_DAMAGED. The caller owns it. */
json_t *json_parse(
    const char *bytes, size_t length, const char *what, struct error *err);

/* Follow object keys; the list ends with NULL. Borrowed, NULL when missing. */
const json_t *json_at(const json_t *value, const char *key, ...)
    __attribute__((sentinel));

/* The string at `key`, borrowed from `object`; NULL when there is none. */
const char *json_text(const json_t *object, const char *key);

bool json_flag(const json_t *object, const char *key);

json_int_t json_number(const json_t *object, const char *key);

/* The text of `value`, compact, or indented by two spaces where `pretty`. Heap;
 * NULL with err set. */
char *json_print(const json_t *value, bool pretty, struct error *err);

/* A string of a text that may not be UTF-8, which is all that JSON holds: any
 * other is escaped. NULL when out of memory. */
json_t *json_string_escaped(const char *text);

#endif
