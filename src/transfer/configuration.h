/* configuration.h - what stands in the configuration files
 *
 * /etc/anklume/anklume.conf, then ~/.config/anklume/anklume.conf (XDG Base
 * Directory Specification), whose keys replace those of the first; or, in the
 * place of both, the file that ANKLUME_CONFIG names. Every value is checked
 * when it is read. What an option says goes before all of it. */

#ifndef ANKLUME_TRANSFER_CONFIGURATION_H
#define ANKLUME_TRANSFER_CONFIGURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct duration;
struct error;

#define CONFIG_SYSTEM_FILE "/etc/anklume/anklume.conf"

#define CONFIG_VARIABLE "ANKLUME_CONFIG"

/* In the order in which they are shown. */
enum config_key {
	CONFIG_OUTPUT,
	CONFIG_REQUIRE_MOUNT,
	CONFIG_REPOSITORY,
	CONFIG_GPG,
	CONFIG_SIGN,
	CONFIG_COMPRESSION,
	CONFIG_VOLUMES,
	CONFIG_CONSISTENCY,
	CONFIG_KEEP_LAST,
	CONFIG_KEEP_HOURLY,
	CONFIG_KEEP_DAILY,
	CONFIG_KEEP_WEEKLY,
	CONFIG_KEEP_MONTHLY,
	CONFIG_KEEP_YEARLY,
	CONFIG_KEEP_WITHIN,
	CONFIG_MAX_AGE,
	CONFIG_MAX_AGE_VERIFIED,
	CONFIG_MAX_AGE_DRILLED,
	CONFIG_SHRINK_WARNING,
	CONFIG_JOBS,
	CONFIG_BWLIMIT,
	CONFIG_SIGNERS,
	CONFIG_KEYS
};

/* One value may be a list: a key that is given several times. */
#define CONFIG_ITEMS_MAX 64

struct config_value {
	size_t count; /* 0: nobody has set it */
	char *items[CONFIG_ITEMS_MAX];
	size_t lines[CONFIG_ITEMS_MAX]; /* where each of them stands */
	const char *file;		/* and in which; the config's */
};

/* Zero-initialised: nothing is set. */
struct config {
	char *files[2]; /* those that were read; NULL */
	struct config_value values[CONFIG_KEYS];
};

/* ERROR_USAGE, with file and line, for what is no such file, an unknown key, a
 * key given twice, a value that is none; ERROR_NOT_FOUND for a file that
 * ANKLUME_CONFIG names. */
int config_read(struct config *ret_config, struct error *err);

void config_clear(struct config *config);

static inline void
auto_config_cleanup(struct config *config)
{
	config_clear(config);
}

/* An owning local. */
#define auto_config __attribute__((cleanup(auto_config_cleanup)))

/* As it stands in a file, else the default; NULL where there is none.
 * Borrowed. */
const char *config_text(const struct config *config, enum config_key key);

/* The same read as a number: of a count, a percentage, or bytes per second.
 * False where there is none. */
bool config_number(
    const struct config *config, enum config_key key, uint64_t *ret_number);

/* The same read as a length of time. */
bool config_duration(const struct config *config, enum config_key key,
    struct duration *ret_duration);

/* Whether a file sets it. */
bool config_is_set(const struct config *config, enum config_key key);

#endif
