/* The two YAML files of a backup, one behind the other with a NUL between them:
 * read into JSON, judged, compared. */

#include "fuzz.h"

#include <string.h>

#include "base/error.h"
#include "base/yaml.h"
#include "check.h"
#include "stream/backup_index.h"
#include "stream/backup_match.h"

static void
check_refusal(const struct error *err)
{
	check_error(err);
	CHECK(err->code == ERROR_DAMAGED || err->code == ERROR_UNSAFE);
}

/* What every user of the index relies on. */
static void
check_index(const struct backup_index *index)
{
	const json_t *one;
	size_t i;

	CHECK(json_is_object(index->config));
	if (backup_index_is_volume(index)) {
		CHECK(json_is_object(index->volume));
		CHECK(index->instance == NULL && index->devices == NULL);
		CHECK(strcmp(index->content_type, "filesystem") == 0 ||
		      strcmp(index->content_type, "block") == 0);
	} else {
		CHECK(json_is_object(index->instance));
		CHECK(json_is_object(index->devices));
		CHECK(json_is_array(index->profiles));
		CHECK(*index->content_type == '\0');
	}
	CHECK(json_array_size(index->snapshots) ==
	      json_array_size(index->snapshot_definitions));
	json_array_foreach(index->snapshots, i, one)
	{
		CHECK(json_is_string(one));
		CHECK(strchr(json_string_value(one), '/') == NULL);
	}
	CHECK(strchr(index->name, '/') == NULL && *index->name != '\0');
}

static void
compare(const struct backup_index *index, const uint8_t *data, size_t size)
{
	struct error err = {0};
	json_t *config = yaml_parse((const char *)data, size, "C", &err);

	if (config == NULL) {
		check_refusal(&err);
		return;
	}
	if (backup_match_config(index, config, &err) < 0)
		check_refusal(&err);
	json_decref(config);
	/* It always is what it says itself. */
	error_clear(&err);
	CHECK(backup_match_config(
		  index, json_object_get(index->root, "config"), &err) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *split = size > 0 ? memchr(data, 0, size) : NULL;
	size_t first = split != NULL ? (size_t)(split - data) : size;
	size_t behind = split != NULL ? first + 1 : size;
	struct backup_index index = {0};
	struct error err = {0};

	if (backup_index_parse((const char *)data, first, &index, &err) < 0) {
		check_refusal(&err);
		return 0;
	}
	if (backup_match_index(&index, &err) < 0) {
		check_refusal(&err);
	} else {
		check_index(&index);
		compare(&index, data + behind, size - behind);
	}
	backup_index_clear(&index);
	return 0;
}
