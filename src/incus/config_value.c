#include "incus/config_value.h"

#include <strings.h>

bool
config_is_true(const json_t *config, const char *key)
{
	static const char *const spellings[] = {"true", "1", "yes", "on"};
	const char *value = json_text(config, key);

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		if (value != NULL && strcasecmp(value, spellings[i]) == 0)
			return true;
	}
	return false;
}
