#include "base/json.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"

json_t *
json_parse(
    const char *bytes, size_t length, const char *what, struct error *err)
{
	json_error_t problem;
	/* jansson itself limits the depth (JSON_PARSER_MAX_DEPTH, 2048). */
	json_t *value = json_loadb(
	    bytes, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);

	if (value == NULL)
		error_set(err, ERROR_DAMAGED, _("%s is not valid JSON: %s"),
		    what, problem.text);
	return value;
}

const json_t *
json_at(const json_t *value, const char *key, ...)
{
	va_list keys;

	va_start(keys, key);
	while (key != NULL) {
		value = json_object_get(value, key);
		key = va_arg(keys, const char *);
	}
	va_end(keys);
	return value;
}

const char *
json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

bool
json_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

json_int_t
json_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

char *
json_print(const json_t *value, bool pretty, struct error *err)
{
	size_t flags = pretty ? JSON_INDENT(2) : JSON_COMPACT;
	char *text = json_dumps(value, flags | JSON_ENCODE_ANY);

	if (text == NULL)
		error_set_memory(err);
	return text;
}

json_t *
json_string_escaped(const char *text)
{
	json_t *string = json_string(text);
	char escaped[4 * PATH_MAX];

	if (string != NULL)
		return string;
	return json_string(
	    text_escape(escaped, sizeof(escaped), text, strlen(text)));
}
