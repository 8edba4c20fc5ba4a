#include "base/yaml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/error.h"
#include "base/i18n.h"

/* An index.yaml of Incus with 200 snapshots has about 20,000 nodes (measured);
 * a node takes 96 bytes. */
#define YAML_NODES_MAX 200000

/* Incus nests 7 deep. */
#define YAML_DEPTH_MAX 64

struct yaml {
	yaml_document_t document;
};

/* Walk the events first: libyaml's document loader resolves aliases and has no
 * limits of its own. */
static int
check_events(
    const char *bytes, size_t length, const char *what, struct error *err)
{
	yaml_parser_t parser;
	int documents = 0;
	int nodes = 0;
	int depth = 0;
	bool end = false;

	if (!yaml_parser_initialize(&parser))
		return error_set_memory(err);
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)bytes, length);

	while (!end && !error_is_set(err)) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			error_set(err, ERROR_DAMAGED,
			    _("%s is not valid YAML: %s, line %zu"), what,
			    parser.problem != NULL ? parser.problem : "?",
			    parser.problem_mark.line + 1);
			break;
		}

		if (event.type == YAML_MAPPING_START_EVENT ||
		    event.type == YAML_SEQUENCE_START_EVENT)
			depth++, nodes++;
		else if (event.type == YAML_MAPPING_END_EVENT ||
			 event.type == YAML_SEQUENCE_END_EVENT)
			depth--;
		else if (event.type == YAML_SCALAR_EVENT)
			nodes++;
		else if (event.type == YAML_DOCUMENT_START_EVENT)
			documents++;
		else if (event.type == YAML_ALIAS_EVENT)
			error_set(err, ERROR_DAMAGED,
			    _("%s holds a YAML alias, which is refused"), what);
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);

		if (!error_is_set(err) &&
		    (nodes > YAML_NODES_MAX || depth > YAML_DEPTH_MAX))
			error_set(err, ERROR_DAMAGED,
			    _("%s is too large or nested too deep"), what);
	}

	yaml_parser_delete(&parser);
	if (!error_is_set(err) && documents != 1)
		error_set(err, ERROR_DAMAGED,
		    _("%s holds %d YAML documents, not one"), what, documents);
	return error_is_set(err) ? -1 : 0;
}

struct yaml *
yaml_parse(
    const char *bytes, size_t length, const char *what, struct error *err)
{
	yaml_parser_t parser;
	struct yaml *yaml;
	int loaded;

	if (check_events(bytes, length, what, err) < 0)
		return NULL;

	yaml = calloc(1, sizeof(*yaml));
	if (yaml == NULL || !yaml_parser_initialize(&parser)) {
		free(yaml);
		error_set_memory(err);
		return NULL;
	}
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)bytes, length);
	loaded = yaml_parser_load(&parser, &yaml->document);
	yaml_parser_delete(&parser);

	if (!loaded) {
		free(yaml);
		error_set(err, ERROR_DAMAGED, _("%s is not valid YAML"), what);
		return NULL;
	}
	return yaml;
}

void
yaml_dispose(struct yaml *yaml)
{
	if (yaml == NULL)
		return;
	yaml_document_delete(&yaml->document);
	free(yaml);
}

/* libyaml's accessor takes a document that it could change; it does not. */
static const yaml_node_t *
node_of(struct yaml_node node)
{
	if (node.yaml == NULL || node.index <= 0)
		return NULL;
	return yaml_document_get_node(
	    (yaml_document_t *)(uintptr_t)&node.yaml->document, node.index);
}

struct yaml_node
yaml_root(const struct yaml *yaml)
{
	return (struct yaml_node){.yaml = yaml, .index = 1};
}

bool
yaml_exists(struct yaml_node node)
{
	return node_of(node) != NULL;
}

bool
yaml_is_map(struct yaml_node node)
{
	const yaml_node_t *found = node_of(node);

	return found != NULL && found->type == YAML_MAPPING_NODE;
}

bool
yaml_is_sequence(struct yaml_node node)
{
	const yaml_node_t *found = node_of(node);

	return found != NULL && found->type == YAML_SEQUENCE_NODE;
}

struct yaml_node
yaml_get(struct yaml_node map, const char *key)
{
	const char *found;
	struct yaml_node value;

	for (size_t i = 0; yaml_pair(map, i, &found, &value); i++) {
		if (strcmp(found, key) == 0)
			return value;
	}
	return (struct yaml_node){0};
}

bool
yaml_pair(struct yaml_node map, size_t nth, const char **ret_key,
    struct yaml_node *ret_value)
{
	const yaml_node_t *node = node_of(map);
	const yaml_node_pair_t *pair;
	const char *key;

	if (node == NULL || node->type != YAML_MAPPING_NODE)
		return false;
	if (nth >= (size_t)(node->data.mapping.pairs.top -
			    node->data.mapping.pairs.start))
		return false;

	pair = node->data.mapping.pairs.start + nth;
	key = yaml_text((struct yaml_node){map.yaml, pair->key});
	*ret_key = key != NULL ? key : "";
	*ret_value = (struct yaml_node){map.yaml, pair->value};
	return true;
}

struct yaml_node
yaml_item(struct yaml_node sequence, size_t nth)
{
	const yaml_node_t *node = node_of(sequence);

	if (node == NULL || node->type != YAML_SEQUENCE_NODE)
		return (struct yaml_node){0};
	if (nth >= (size_t)(node->data.sequence.items.top -
			    node->data.sequence.items.start))
		return (struct yaml_node){0};
	return (struct yaml_node){
	    sequence.yaml, node->data.sequence.items.start[nth]};
}

const char *
yaml_text(struct yaml_node scalar)
{
	const yaml_node_t *node = node_of(scalar);
	const char *value;

	if (node == NULL || node->type != YAML_SCALAR_NODE)
		return NULL;
	value = (const char *)node->data.scalar.value;
	return strlen(value) == node->data.scalar.length ? value : NULL;
}
