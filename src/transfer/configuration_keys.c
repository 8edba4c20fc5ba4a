#include "transfer/configuration_keys.h"

#include <stdint.h>
#include <string.h>

#include "base/auto.h"
#include "base/duration.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "stream/compression.h"
#include "stream/openpgp.h"
#include "transfer/backup_word.h"
#include "transfer/consistency.h"

#define COUNT_MAX 9999
#define PERCENT_MAX 99

static const struct config_spec specs[CONFIG_KEYS] = {
    [CONFIG_OUTPUT] = {"backup", "output", CONFIG_KIND_PATH, BACKUP_DIRECTORY},
    [CONFIG_REQUIRE_MOUNT] = {"backup", "require-mount", CONFIG_KIND_PATH},
    [CONFIG_REPOSITORY] = {"backup", "repository", CONFIG_KIND_TEXT},
    [CONFIG_GPG] = {"backup", "gpg", CONFIG_KIND_LIST},
    [CONFIG_SIGN] = {"backup", "sign", CONFIG_KIND_TEXT},
    [CONFIG_COMPRESSION] = {"backup", "compression", CONFIG_KIND_COMPRESSION,
	"gzip"},
    [CONFIG_VOLUMES] = {"backup", "volumes", CONFIG_KIND_VOLUMES, "attached"},
    [CONFIG_CONSISTENCY] = {"backup", "consistency", CONFIG_KIND_CONSISTENCY,
	"auto"},
    [CONFIG_KEEP_LAST] = {"backup", "keep-last", CONFIG_KIND_COUNT},
    [CONFIG_KEEP_HOURLY] = {"backup", "keep-hourly", CONFIG_KIND_COUNT},
    [CONFIG_KEEP_DAILY] = {"backup", "keep-daily", CONFIG_KIND_COUNT},
    [CONFIG_KEEP_WEEKLY] = {"backup", "keep-weekly", CONFIG_KIND_COUNT},
    [CONFIG_KEEP_MONTHLY] = {"backup", "keep-monthly", CONFIG_KIND_COUNT},
    [CONFIG_KEEP_YEARLY] = {"backup", "keep-yearly", CONFIG_KIND_COUNT},
    [CONFIG_KEEP_WITHIN] = {"backup", "keep-within", CONFIG_KIND_DURATION},
    [CONFIG_MAX_AGE] = {"backup", "max-age", CONFIG_KIND_DURATION, "2d"},
    [CONFIG_MAX_AGE_VERIFIED] = {"backup", "max-age-verified",
	CONFIG_KIND_DURATION},
    [CONFIG_MAX_AGE_DRILLED] = {"backup", "max-age-drilled",
	CONFIG_KIND_DURATION},
    [CONFIG_SHRINK_WARNING] = {"backup", "shrink-warning", CONFIG_KIND_PERCENT,
	"50%"},
    [CONFIG_JOBS] = {"backup", "jobs", CONFIG_KIND_JOBS},
    [CONFIG_BWLIMIT] = {"backup", "bwlimit", CONFIG_KIND_RATE},
    [CONFIG_SIGNERS] = {"trust", "signers", CONFIG_KIND_SIGNERS},
};

const struct config_spec *
config_spec(enum config_key key)
{
	return &specs[key];
}

bool
config_is_list(enum config_key key)
{
	return specs[key].kind == CONFIG_KIND_LIST ||
	       specs[key].kind == CONFIG_KIND_SIGNERS;
}

int
config_hint_keys(struct error *err)
{
	auto_free char *keys = NULL;
	struct error ignored = {0};
	const char *section = "";

	for (enum config_key key = 0; key < CONFIG_KEYS; key++) {
		auto_free char *before = steal(keys);
		const struct config_spec *spec = &specs[key];
		bool same = strcmp(section, spec->section) == 0;

		keys = same ? text_format(&ignored, "%s %s", before, spec->name)
			    : text_format(&ignored, "%s%s[%s] %s",
				  before != NULL ? before : "",
				  before != NULL ? " " : "", spec->section,
				  spec->name);
		if (keys == NULL)
			return -1;
		section = spec->section;
	}
	return error_hint(err, _("the keys: %s"), keys);
}

enum config_key
config_find(const char *section, const char *name)
{
	for (enum config_key key = 0; key < CONFIG_KEYS; key++) {
		if (strcmp(specs[key].section, section) == 0 &&
		    strcmp(specs[key].name, name) == 0)
			return key;
	}
	return CONFIG_KEYS;
}

static int
check_number(
    const char *value, uint64_t least, uint64_t most, struct error *err)
{
	uint64_t number;

	if (text_parse_number(value, most, &number) && number >= least)
		return 0;
	return error_set(err, ERROR_USAGE, _("'%s' is no number from %d to %d"),
	    value, (int)least, (int)most);
}

static int
check_percent(const char *value, struct error *err)
{
	uint64_t number;

	if (text_parse_percent(value, PERCENT_MAX, &number))
		return 0;
	return error_set(err, ERROR_USAGE,
	    _("'%s' is no percentage from 1%% to %d%%"), value, PERCENT_MAX);
}

static int
check_duration(const char *value, struct error *err)
{
	struct duration duration;

	if (duration_parse(value, &duration))
		return 0;
	return error_set(err, ERROR_USAGE,
	    _("'%s' is no length of time: 36h, 8d, 1y6m"), value);
}

static int
check_rate(const char *value, struct error *err)
{
	uint64_t rate;

	if (text_parse_rate(value, &rate))
		return 0;
	return error_set(err, ERROR_USAGE,
	    _("'%s' is no number of bytes per second: 500K, 10M, 1G"), value);
}

static int
check_path(const char *value, struct error *err)
{
	if (*value == '/')
		return 0;
	return error_set(
	    err, ERROR_USAGE, _("'%s' is no absolute path"), value);
}

static int
check_volumes(const char *value, struct error *err)
{
	if (strcmp(value, "attached") == 0 || strcmp(value, "none") == 0)
		return 0;
	return error_set(err, ERROR_USAGE,
	    _("'%s' is neither 'attached' nor 'none'"), value);
}

int
config_check(enum config_key key, const char *value, struct error *err)
{
	struct compression compression;
	enum consistency_how consistency;
	char fingerprint[OPENPGP_FINGERPRINT_BYTES];

	switch (specs[key].kind) {
	case CONFIG_KIND_PATH:
		return check_path(value, err);
	case CONFIG_KIND_COUNT:
		return check_number(value, 0, COUNT_MAX, err);
	case CONFIG_KIND_JOBS:
		return check_number(value, 1, CONFIG_JOBS_MAX, err);
	case CONFIG_KIND_DURATION:
		return check_duration(value, err);
	case CONFIG_KIND_PERCENT:
		return check_percent(value, err);
	case CONFIG_KIND_RATE:
		return check_rate(value, err);
	case CONFIG_KIND_COMPRESSION:
		return compression_parse(value, &compression, err);
	case CONFIG_KIND_CONSISTENCY:
		return consistency_parse(value, &consistency, err);
	case CONFIG_KIND_VOLUMES:
		return check_volumes(value, err);
	case CONFIG_KIND_SIGNERS:
		return openpgp_parse_fingerprint(value, fingerprint, err);
	case CONFIG_KIND_TEXT:
	case CONFIG_KIND_LIST:
	default:
		return 0;
	}
}
