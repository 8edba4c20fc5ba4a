#include "base/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"

/* An index.yaml of Incus with 200 snapshots has about 20,000 nodes (measured);
 * one takes 100 to 200 bytes. */
#define YAML_NODES_MAX 200000

/* Incus nests 7 deep. */
#define YAML_DEPTH_MAX 64

/* A collection that is being read. */
struct level {
	json_t *value; /* borrowed from the one around it */
	char *key;     /* of the value that comes next; NULL: a key is due */
};

struct reader {
	const char *what;
	yaml_parser_t parser;
	json_t *root;
	struct level levels[YAML_DEPTH_MAX];
	size_t depth;
	int nodes;
	int documents;
	bool ended;
};

static int
refuse(const struct reader *reader, const char *why, struct error *err)
{
	return error_set(err, ERROR_DAMAGED, _("%s, line %zu, is refused: %s"),
	    reader->what, reader->parser.mark.line + 1, why);
}

/* Put a value where it belongs; takes it over, and fails for NULL. */
static int
place(struct reader *reader, json_t *value, struct error *err)
{
	struct level *level;
	int status;

	if (value == NULL)
		return refuse(reader, _("a text that is none"), err);
	if (++reader->nodes > YAML_NODES_MAX) {
		json_decref(value);
		return refuse(reader, _("too many values"), err);
	}
	if (reader->depth == 0) {
		json_decref(reader->root);
		reader->root = value;
		return 0;
	}
	level = &reader->levels[reader->depth - 1];
	if (json_is_array(level->value))
		return json_array_append_new(level->value, value) < 0
			   ? error_set_memory(err)
			   : 0;
	if (level->key == NULL) {
		json_decref(value);
		return refuse(reader, _("a key that is no text"), err);
	}
	status = json_object_set_new(level->value, level->key, value);
	free(level->key);
	level->key = NULL;
	return status < 0 ? error_set_memory(err) : 0;
}

static int
begin(struct reader *reader, json_t *value, const unsigned char *tag,
    struct error *err)
{
	if (tag != NULL || reader->depth == YAML_DEPTH_MAX) {
		json_decref(value);
		return refuse(reader,
		    tag != NULL ? _("a tag") : _("nested too deep"), err);
	}
	if (place(reader, value, err) < 0)
		return -1;
	reader->levels[reader->depth++] = (struct level){.value = value};
	return 0;
}

/* As yaml.v2, which Incus uses, resolves them. */
static bool
is_null(const yaml_event_t *event)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	const char *text = (const char *)event->data.scalar.value;

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++) {
		if (strcmp(text, nulls[i]) == 0)
			return true;
	}
	return false;
}

static int
take_key(struct reader *reader, struct level *level, const yaml_event_t *event,
    struct error *err)
{
	const char *key = (const char *)event->data.scalar.value;

	if (is_null(event) || strcmp(key, "<<") == 0)
		return refuse(reader, _("a key that is no text"), err);
	if (json_object_get(level->value, key) != NULL)
		return refuse(reader, _("a key that stands twice"), err);
	level->key = strdup(key);
	return level->key == NULL ? error_set_memory(err) : 0;
}

static int
scalar(struct reader *reader, const yaml_event_t *event, struct error *err)
{
	struct level *level =
	    reader->depth > 0 ? &reader->levels[reader->depth - 1] : NULL;
	const char *text = (const char *)event->data.scalar.value;

	if (event->data.scalar.tag != NULL)
		return refuse(reader, _("a tag"), err);
	if (strlen(text) != event->data.scalar.length)
		return refuse(reader, _("a text that is none"), err);
	if (level != NULL && json_is_object(level->value) && level->key == NULL)
		return take_key(reader, level, event, err);
	return place(
	    reader, is_null(event) ? json_null() : json_string(text), err);
}

static int
take_event(struct reader *reader, const yaml_event_t *event, struct error *err)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return reader->documents++ > 0
			   ? refuse(reader, _("a second document"), err)
			   : 0;
	case YAML_MAPPING_START_EVENT:
		return begin(
		    reader, json_object(), event->data.mapping_start.tag, err);
	case YAML_SEQUENCE_START_EVENT:
		return begin(
		    reader, json_array(), event->data.sequence_start.tag, err);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		reader->depth--;
		return 0;
	case YAML_SCALAR_EVENT:
		return scalar(reader, event, err);
	case YAML_ALIAS_EVENT:
		return refuse(reader, _("an alias"), err);
	case YAML_STREAM_END_EVENT:
		reader->ended = true;
		return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return 0;
}

static int
read_all(struct reader *reader, struct error *err)
{
	while (!reader->ended) {
		yaml_event_t event;
		const char *problem;
		int status;

		if (!yaml_parser_parse(&reader->parser, &event)) {
			problem = reader->parser.problem;
			return refuse(reader,
			    problem != NULL ? problem : _("no valid YAML"),
			    err);
		}
		status = take_event(reader, &event, err);
		yaml_event_delete(&event);
		if (status < 0)
			return -1;
	}
	return reader->root != NULL ? 0 : refuse(reader, _("no document"), err);
}

json_t *
yaml_parse(
    const char *bytes, size_t length, const char *what, struct error *err)
{
	struct reader reader = {.what = what};
	int status;

	if (!yaml_parser_initialize(&reader.parser)) {
		error_set_memory(err);
		return NULL;
	}
	/* Its own guess would take UTF-16, too. */
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &reader.parser, (const unsigned char *)bytes, length);
	status = read_all(&reader, err);
	yaml_parser_delete(&reader.parser);
	for (size_t i = 0; i < YAML_DEPTH_MAX; i++)
		free(reader.levels[i].key);
	if (status == 0)
		return reader.root;
	json_decref(reader.root);
	return NULL;
}
