#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/status_format.h"
#include "transfer/status.h"

/* What monitors read is English, and one line holds so many names. */
#define NAMES_BYTES 1024

enum nagios {
	NAGIOS_OK = 0,
	NAGIOS_WARNING = 1,
	NAGIOS_CRITICAL = 2,
};

static enum nagios
weight_of(const json_t *row)
{
	const char *tone = status_tone(json_text(row, "state"));

	if (strcmp(tone, "bad") == 0)
		return NAGIOS_CRITICAL;
	return strcmp(tone, "warn") == 0 ? NAGIOS_WARNING : NAGIOS_OK;
}

/* "|" would begin the performance data. */
static void
add_name(char names[NAMES_BYTES], const json_t *row)
{
	char escaped[256];
	char raw[256];
	size_t used = strlen(names);

	(void)snprintf(raw, sizeof(raw), "%s/%s", json_text(row, "project"),
	    json_text(row, "instance"));
	(void)text_escape(escaped, sizeof(escaped), raw, strlen(raw));
	for (char *at = escaped; *at != '\0'; at++) {
		if (*at == '|' || *at == '\'')
			*at = '_';
	}
	(void)snprintf(names + used, NAMES_BYTES - used, "%s%s (%s)",
	    used > 0 ? ", " : "", escaped, json_text(row, "state"));
}

int
status_print_nagios(struct output *output, const struct status_result *status)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL"};
	char names[NAMES_BYTES] = "";
	enum nagios worst = NAGIOS_OK;
	const json_t *row;
	size_t i;

	json_array_foreach(status->instances, i, row)
	{
		enum nagios weight = weight_of(row);

		if (weight == NAGIOS_OK)
			continue;
		worst = weight > worst ? weight : worst;
		add_name(names, row);
	}
	output_line(output,
	    "ANKLUME %s - %zu of %zu instances backed up as they should be"
	    "%s%s | instances=%zu wanting=%zu",
	    words[worst], status->count - status->wanting, status->count,
	    *names != '\0' ? ": " : "", names, status->count, status->wanting);
	return (int)worst;
}

/* Label values: "\\", "\"" and line feeds are escaped; ours hold none of the
 * latter by then. */
static void
label(char *buf, size_t size, const char *text)
{
	char shown[256];
	size_t used = 0;

	(void)text_escape(shown, sizeof(shown), text, strlen(text));
	for (const char *at = shown; *at != '\0' && used + 3 < size; at++) {
		if (*at == '\\' || *at == '"')
			buf[used++] = '\\';
		buf[used++] = *at;
	}
	buf[used] = '\0';
}

struct metric {
	const char *name;
	const char *help;
	double (*value)(const json_t *row);
};

static double
seconds_of(const json_t *row, const char *key)
{
	const char *text = json_text(row, key);
	time_t when;

	return text != NULL && clock_parse_rfc3339(text, &when) ? (double)when
								: 0;
}

static double
last_backup(const json_t *row)
{
	return seconds_of(row, "last_backup");
}

static double
last_verified(const json_t *row)
{
	return seconds_of(row, "last_verified");
}

static double
last_drilled(const json_t *row)
{
	return seconds_of(row, "last_drilled");
}

static double
size_bytes(const json_t *row)
{
	return (double)json_number(row, "size_bytes");
}

static double
archives(const json_t *row)
{
	return (double)json_number(row, "archives");
}

static double
damaged(const json_t *row)
{
	return (double)json_number(row, "damaged");
}

static double
wanting(const json_t *row)
{
	return json_array_size(json_object_get(row, "problems")) > 0;
}

void
status_print_prometheus(
    struct output *output, const struct status_result *status)
{
	static const struct metric metrics[] = {
	    {"last_backup_timestamp_seconds",
		"When the newest intact backup was made; 0: never.",
		last_backup},
	    {"last_verified_timestamp_seconds",
		"When a backup was verified last; 0: never.", last_verified},
	    {"last_drilled_timestamp_seconds",
		"When a backup was drilled last; 0: never.", last_drilled},
	    {"size_bytes", "Size of the newest intact backup.", size_bytes},
	    {"archives", "Backups that are there.", archives},
	    {"damaged_archives", "Backups that are not as their manifest says.",
		damaged},
	    {"wanting", "Whether anything is late or doubtful.", wanting},
	};
	const json_t *row;
	size_t i;

	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		output_line(output, "# HELP anklume_backup_%s %s",
		    metrics[m].name, metrics[m].help);
		output_line(
		    output, "# TYPE anklume_backup_%s gauge", metrics[m].name);
		json_array_foreach(status->instances, i, row)
		{
			char project[512];
			char instance[512];

			label(project, sizeof(project),
			    json_text(row, "project"));
			label(instance, sizeof(instance),
			    json_text(row, "instance"));
			output_line(output,
			    "anklume_backup_%s{project=\"%s\",instance=\"%s\"} "
			    "%.0f",
			    metrics[m].name, project, instance,
			    metrics[m].value(row));
		}
	}
	output_line(output,
	    "# HELP anklume_status_timestamp_seconds When this was found.");
	output_line(output, "# TYPE anklume_status_timestamp_seconds gauge");
	output_line(output, "anklume_status_timestamp_seconds %lld",
	    (long long)status->now);
}
