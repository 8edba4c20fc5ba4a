#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/status_format.h"
#include "cli/table.h"
#include "transfer/status.h"

#define COLUMNS 8

#define HOUR_S 3600
#define DAY_S (24 * HOUR_S)

const char *
status_age(char buf[STATUS_AGE_BYTES], int64_t seconds)
{
	if (seconds < 0)
		seconds = 0;
	if (seconds >= 2 * DAY_S)
		(void)snprintf(buf, STATUS_AGE_BYTES, _("%lld d"),
		    (long long)(seconds / DAY_S));
	else if (seconds >= 2 * HOUR_S)
		(void)snprintf(buf, STATUS_AGE_BYTES, _("%lld h"),
		    (long long)(seconds / HOUR_S));
	else
		(void)snprintf(buf, STATUS_AGE_BYTES, _("%lld min"),
		    (long long)(seconds / 60));
	return buf;
}

/* Without a backup that can be restored there is nothing to be warned of. */
static const struct {
	const char *code;
	const char *word;
	const char *tone;
} words[] = {
    {"ok", N_("ok"), "ok"},
    {"never", N_("never backed up"), "bad"},
    {"late", N_("late"), "bad"},
    {"damaged", N_("damaged"), "warn"},
    {"shrank", N_("shrank"), "warn"},
    {"unverified", N_("not verified"), "warn"},
    {"undrilled", N_("not drilled"), "warn"},
    {"excluded", N_("left out"), "off"},
    {"gone", N_("gone"), "off"},
};

#define WORDS (sizeof(words) / sizeof(words[0]))

const char *
status_word(const char *code)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (strcmp(words[i].code, code) == 0)
			return _(words[i].word);
	}
	return code;
}

const char *
status_tone(const char *code)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (strcmp(words[i].code, code) == 0)
			return words[i].tone;
	}
	return "warn";
}

static int
add_heading(struct table *table, struct error *err)
{
	const char *const headings[COLUMNS] = {_("INSTANCE"), _("STATE"),
	    _("LAST BACKUP"), _("AGE"), _("SIZE"), _("VERIFIED"), _("DRILLED"),
	    _("ARCHIVES")};

	for (size_t i = 0; i < COLUMNS; i++) {
		if (table_add(table, headings[i], err) < 0)
			return -1;
	}
	return 0;
}

/* All problems, or the state and why it is so. */
static int
add_state(struct table *table, const json_t *row, struct error *err)
{
	const json_t *problems = json_object_get(row, "problems");
	const char *reason = json_text(row, "reason");
	auto_free char *cell = text_format(err, "%s%s%s%s",
	    status_word(json_text(row, "state")), reason != NULL ? " (" : "",
	    reason != NULL ? reason : "", reason != NULL ? ")" : "");

	/* The first of them is the state. */
	for (size_t i = 1; i < json_array_size(problems) && cell != NULL; i++) {
		char *before = cell;

		cell = text_format(err, "%s, %s", before,
		    status_word(
			json_string_value(json_array_get(problems, i))));
		free(before);
	}
	return cell != NULL ? table_add(table, cell, err) : -1;
}

static int
add_age(struct table *table, const json_t *row, const char *key, time_t now,
    struct error *err)
{
	const char *text = json_text(row, key);
	char buf[STATUS_AGE_BYTES];
	time_t when;

	if (text == NULL || !clock_parse_rfc3339(text, &when))
		return table_add(table, "-", err);
	return table_add(table, status_age(buf, (int64_t)(now - when)), err);
}

static int
add_row(struct table *table, const json_t *row, time_t now, struct error *err)
{
	const char *last = json_text(row, "last_backup");
	char made[CLOCK_TEXT_BYTES];
	char size[TEXT_SIZE_BYTES];
	auto_free char *name = text_format(err, "%s/%s",
	    json_text(row, "project"), json_text(row, "instance"));
	auto_free char *count =
	    text_format(err, "%lld", (long long)json_number(row, "archives"));
	time_t when;
	bool made_once = last != NULL && clock_parse_rfc3339(last, &when);

	if (name == NULL || count == NULL || table_add(table, name, err) < 0 ||
	    add_state(table, row, err) < 0 ||
	    table_add(table, made_once ? clock_local(made, when) : "-", err) <
		0 ||
	    add_age(table, row, "last_backup", now, err) < 0 ||
	    table_add(table,
		made_once ? text_show_size(
				size, (uint64_t)json_number(row, "size_bytes"))
			  : "-",
		err) < 0 ||
	    add_age(table, row, "last_verified", now, err) < 0 ||
	    add_age(table, row, "last_drilled", now, err) < 0)
		return -1;
	return table_add(table, count, err);
}

int
status_print_table(struct output *output, const struct status_result *status,
    struct error *err)
{
	auto_table struct table table = {.columns = COLUMNS};
	const json_t *row;
	size_t i;

	if (add_heading(&table, err) < 0)
		return -1;
	json_array_foreach(status->instances, i, row)
	{
		if (add_row(&table, row, status->now, err) < 0)
			return -1;
	}
	table_print(&table, output);
	return 0;
}
