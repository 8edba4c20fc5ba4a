/* configuration_keys.h - the keys of the configuration files, and what their
 * values may be */

#ifndef ANKLUME_TRANSFER_CONFIGURATION_KEYS_H
#define ANKLUME_TRANSFER_CONFIGURATION_KEYS_H

#include <stdbool.h>

#include "transfer/configuration.h"

enum config_kind {
	CONFIG_KIND_TEXT,
	CONFIG_KIND_LIST,     /* of texts */
	CONFIG_KIND_SIGNERS,  /* a list of fingerprints */
	CONFIG_KIND_PATH,     /* absolute */
	CONFIG_KIND_COUNT,    /* 0 to 9999 */
	CONFIG_KIND_DURATION, /* base/duration.h */
	CONFIG_KIND_PERCENT,  /* "50%", 1 to 99 */
	CONFIG_KIND_RATE,     /* base/text.h, text_parse_rate() */
	CONFIG_KIND_JOBS,     /* 1 to CONFIG_JOBS_MAX */
	CONFIG_KIND_COMPRESSION,
	CONFIG_KIND_CONSISTENCY,
	CONFIG_KIND_VOLUMES, /* "attached" or "none" */
};

/* More would only wait for each other. */
#define CONFIG_JOBS_MAX 64

struct config_spec {
	const char *section;
	const char *name;
	enum config_kind kind;
	const char *fallback; /* the default; NULL is none */
};

const struct config_spec *config_spec(enum config_key key);

/* Whether it may be given several times. */
bool config_is_list(enum config_key key);

/* Add all keys as a hint. Returns -1. */
int config_hint_keys(struct error *err);

/* CONFIG_KEYS when there is no such key. */
enum config_key config_find(const char *section, const char *name);

/* ERROR_USAGE, with what would be a value. */
int config_check(enum config_key key, const char *value, struct error *err);

#endif
