#include "transfer/configuration.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/duration.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/ini.h"
#include "base/text.h"
#include "store/small_file.h"
#include "transfer/configuration_keys.h"

/* A file of one line for each key is a hundred times smaller. */
#define CONFIG_FILE_MAX_BYTES ((size_t)256 * 1024)

/* One file on its way into a config. */
struct config_reading {
	struct config *config;
	const char *file;
};

static void
value_clear(struct config_value *value)
{
	for (size_t i = 0; i < value->count; i++)
		free(value->items[i]);
	*value = (struct config_value){0};
}

void
config_clear(struct config *config)
{
	for (size_t i = 0; i < CONFIG_KEYS; i++)
		value_clear(&config->values[i]);
	free(config->files[0]);
	free(config->files[1]);
	*config = (struct config){0};
}

static int
add_item(const struct config_reading *reading, enum config_key key,
    const struct ini_line *line, struct error *err)
{
	struct config_value *value = &reading->config->values[key];
	bool same_file =
	    value->count > 0 && strcmp(value->file, reading->file) == 0;
	char *item;

	/* Another file's are replaced, not added to. */
	if (!same_file)
		value_clear(value);
	else if (!config_is_list(key))
		return error_set(err, ERROR_USAGE,
		    _("it stands in line %zu already"), value->lines[0]);
	if (value->count == CONFIG_ITEMS_MAX)
		return error_set(err, ERROR_USAGE,
		    _("it may be given at most %d times"), CONFIG_ITEMS_MAX);
	item = text_copy(line->value, strlen(line->value), err);
	if (item == NULL)
		return -1;
	value->file = reading->file;
	value->lines[value->count] = line->number;
	value->items[value->count++] = item;
	return 0;
}

static int
refuse_key(const struct ini_line *line, struct error *err)
{
	if (*line->section == '\0')
		error_set(err, ERROR_USAGE, _("'%s' stands before any section"),
		    line->key);
	else
		error_set(err, ERROR_USAGE, _("there is no key '%s' in [%s]"),
		    line->key, line->section);
	return config_hint_keys(err);
}

static int
take_line(void *data, const struct ini_line *line, struct error *err)
{
	const struct config_reading *reading = data;
	enum config_key key = config_find(line->section, line->key);

	if (key == CONFIG_KEYS) {
		refuse_key(line, err);
		return error_prefix(err, "%s:%zu", reading->file, line->number);
	}
	if (*line->value == '\0')
		error_set(err, ERROR_USAGE, _("it has no value"));
	else if (config_check(key, line->value, err) == 0)
		(void)add_item(reading, key, line, err);
	if (!error_is_set(err))
		return 0;
	return error_prefix(
	    err, "%s:%zu: %s", reading->file, line->number, line->key);
}

/* 1, or 0 when there is no such file. The path is the config's from here on. */
static int
read_file(struct config *config, size_t place, char *path, struct error *err)
{
	struct config_reading reading = {.config = config, .file = path};
	auto_free char *text = NULL;
	size_t size = 0;
	int found;

	config->files[place] = path;
	found = small_file_read(path, CONFIG_FILE_MAX_BYTES, &text, &size, err);
	if (found < 0)
		return -1;
	if (found > 0 &&
	    ini_read(text, size, path, take_line, &reading, err) < 0)
		return -1;
	return found;
}

/* "$XDG_CONFIG_HOME/anklume/anklume.conf"; NULL where nothing says where that
 * would be, or with err set. Heap. */
static char *
user_file(struct error *err)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (config != NULL && *config == '/')
		return text_format(err, "%s/anklume/anklume.conf", config);
	if (home != NULL && *home == '/')
		return text_format(
		    err, "%s/.config/anklume/anklume.conf", home);
	return NULL;
}

static int
read_named(struct config *config, const char *named, struct error *err)
{
	char *path = text_copy(named, strlen(named), err);
	int found = path != NULL ? read_file(config, 0, path, err) : -1;

	if (found != 0)
		return found < 0 ? -1 : 0;
	return error_set(err, ERROR_NOT_FOUND,
	    _("there is no configuration '%s', which %s names"), named,
	    CONFIG_VARIABLE);
}

static int
read_both(struct config *config, struct error *err)
{
	char *system =
	    text_copy(CONFIG_SYSTEM_FILE, strlen(CONFIG_SYSTEM_FILE), err);
	char *own;

	if (system == NULL || read_file(config, 0, system, err) < 0)
		return -1;
	own = user_file(err);
	if (own == NULL)
		return error_is_set(err) ? -1 : 0;
	return read_file(config, 1, own, err) < 0 ? -1 : 0;
}

int
config_read(struct config *ret_config, struct error *err)
{
	const char *named = getenv(CONFIG_VARIABLE);
	auto_config struct config config = {0};
	int result = named != NULL && *named != '\0'
			 ? read_named(&config, named, err)
			 : read_both(&config, err);

	if (result < 0)
		return -1;
	*ret_config = config;
	config = (struct config){0};
	return 0;
}

bool
config_is_set(const struct config *config, enum config_key key)
{
	return config->values[key].count > 0;
}

const char *
config_text(const struct config *config, enum config_key key)
{
	return config_is_set(config, key) ? config->values[key].items[0]
					  : config_spec(key)->fallback;
}

bool
config_number(
    const struct config *config, enum config_key key, uint64_t *ret_number)
{
	const char *text = config_text(config, key);

	if (text == NULL)
		return false;
	if (config_spec(key)->kind == CONFIG_KIND_RATE)
		return text_parse_rate(text, ret_number);
	if (config_spec(key)->kind == CONFIG_KIND_PERCENT)
		return text_parse_percent(text, UINT64_MAX, ret_number);
	return text_parse_number(text, UINT64_MAX, ret_number);
}

bool
config_duration(const struct config *config, enum config_key key,
    struct duration *ret_duration)
{
	const char *text = config_text(config, key);

	return text != NULL && duration_parse(text, ret_duration);
}
