#include "cli/configured.h"

#include "cli/command.h"

_Static_assert(CONFIG_ITEMS_MAX <= OPTION_LIST_MAX, "a list fits");

const char *
configured_text(
    const struct invocation *invocation, const char *typed, enum config_key key)
{
	return typed != NULL ? typed : config_text(invocation->config, key);
}

const char *
configured_from(const struct invocation *invocation, const char *typed)
{
	if (typed == NULL && !config_is_set(invocation->config, CONFIG_OUTPUT))
		return NULL;
	return configured_text(invocation, typed, CONFIG_OUTPUT);
}

struct option_list
configured_list(const struct invocation *invocation,
    const struct option_list *typed, enum config_key key)
{
	const struct config_value *value = &invocation->config->values[key];
	struct option_list list = *typed;

	if (list.count > 0)
		return list;
	for (size_t i = 0; i < value->count; i++)
		list.items[list.count++] = value->items[i];
	return list;
}
