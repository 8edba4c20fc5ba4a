#include "base/yaml_json.h"

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"

static json_t *
refuse_text(struct error *err)
{
	error_set(err, ERROR_DAMAGED, _("the YAML holds a text that is none"));
	return NULL;
}

/* yaml_parse() bounds the depth, and so the recursion. */
static json_t *
map_to_json(struct yaml_node map, struct error *err)
{
	auto_json json_t *object = json_object();
	struct yaml_node value;
	const char *key;

	for (size_t i = 0; yaml_pair(map, i, &key, &value); i++) {
		json_t *inner = yaml_to_json(value, err);

		if (inner == NULL)
			return NULL;
		if (json_object_get(object, key) != NULL) {
			json_decref(inner);
			error_set(err, ERROR_DAMAGED,
			    _("the YAML key '%s' stands twice"), key);
			return NULL;
		}
		if (json_object_set_new(object, key, inner) < 0)
			return refuse_text(err);
	}
	return steal(object);
}

static json_t *
sequence_to_json(struct yaml_node sequence, struct error *err)
{
	auto_json json_t *array = json_array();
	struct yaml_node item;

	for (size_t i = 0; yaml_exists(item = yaml_item(sequence, i)); i++) {
		json_t *inner = yaml_to_json(item, err);

		if (inner == NULL)
			return NULL;
		if (json_array_append_new(array, inner) < 0) {
			error_set_memory(err);
			return NULL;
		}
	}
	return steal(array);
}

json_t *
yaml_to_json(struct yaml_node node, struct error *err)
{
	json_t *text;

	if (!yaml_exists(node))
		return json_null();
	if (yaml_is_map(node))
		return map_to_json(node, err);
	if (yaml_is_sequence(node))
		return sequence_to_json(node, err);
	if (yaml_text(node) == NULL)
		return refuse_text(err);
	text = json_string(yaml_text(node));
	return text != NULL ? text : refuse_text(err);
}
