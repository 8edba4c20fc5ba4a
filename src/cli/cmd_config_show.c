#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/output.h"
#include "transfer/configuration.h"
#include "transfer/configuration_keys.h"

struct show_options {
	bool origin;
};

static const struct option_spec specs[] = {
    {"origin", 0, OPTION_FLAG, offsetof(struct show_options, origin), NULL,
	N_("after each value, the file and line that it comes from")},
    {0},
};

static json_t *
items_of(const struct config *config, enum config_key key)
{
	const struct config_value *value = &config->values[key];
	json_t *items;

	if (!config_is_list(key))
		return json_pack("s?", config_text(config, key));
	items = json_array();
	for (size_t i = 0; i < value->count; i++)
		(void)json_array_append_new(
		    items, json_string(value->items[i]));
	return items;
}

/* "FILE:LINE" of each; a default has none. */
static json_t *
places_of(const struct config_value *value)
{
	json_t *places = json_array();

	for (size_t i = 0; i < value->count; i++)
		(void)json_array_append_new(places,
		    json_sprintf("%s:%zu", value->file, value->lines[i]));
	return places;
}

/* As it could stand in a file; what nobody has set is a comment. */
static void
print_key(
    const struct invocation *invocation, enum config_key key, bool with_places)
{
	const struct config_value *value = &invocation->config->values[key];
	const char *name = config_spec(key)->name;
	const char *text = config_text(invocation->config, key);

	for (size_t i = 0; i < value->count; i++) {
		if (with_places)
			output_line(invocation->output, "%s = %s ; %s:%zu",
			    name, value->items[i], value->file,
			    value->lines[i]);
		else
			output_line(invocation->output, "%s = %s", name,
			    value->items[i]);
	}
	if (value->count == 0)
		output_line(invocation->output, "# %s =%s%s", name,
		    text != NULL ? " " : "", text != NULL ? text : "");
}

static int
show_key(const struct invocation *invocation, enum config_key key, json_t *keys,
    struct error *err)
{
	const struct show_options *options = invocation->options;
	const struct config *config = invocation->config;
	const struct config_spec *spec = config_spec(key);

	if (key == 0 ||
	    strcmp(spec->section, config_spec(key - 1)->section) != 0)
		output_line(invocation->output, "%s[%s]", key > 0 ? "\n" : "",
		    spec->section);
	print_key(invocation, key, options->origin);
	if (json_array_append_new(keys,
		json_pack("{s:s, s:s, s:o, s:o}", "section", spec->section,
		    "key", spec->name, "value", items_of(config, key), "origin",
		    places_of(&config->values[key]))) < 0)
		return error_set_memory(err);
	return 0;
}

static int
run(const struct invocation *invocation, struct error *err)
{
	auto_json json_t *keys = json_array();
	auto_json json_t *fields = json_pack("{s:O}", "keys", keys);

	for (enum config_key key = 0; key < CONFIG_KEYS; key++) {
		if (show_key(invocation, key, keys, err) < 0)
			return -1;
	}
	output_json(invocation->output, fields);
	return 0;
}

const struct command config_show_command = {
    .words = "config show",
    .summary = N_("what the configuration files say, and what counts else"),
    .examples = "  anklume config show --origin\n",
    .options = specs,
    .options_size = sizeof(struct show_options),
    .configured = true,
    .run = run,
};
