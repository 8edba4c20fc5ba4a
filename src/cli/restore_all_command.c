#include "cli/restore_all_command.h"

#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/table.h"
#include "transfer/restore_all.h"
#include "transfer/whose.h"

#define COLUMNS 4

static const char *
plan_word(const char *plan)
{
	if (strcmp(plan, "restore") == 0)
		return _("will be restored");
	if (strcmp(plan, "exists") == 0)
		return _("exists already");
	if (strcmp(plan, "unknown origin") == 0)
		return _("unknown origin: backup adopt takes it");
	return _("no intact archive");
}

static int
add_row(struct table *table, const json_t *row, struct error *err)
{
	const char *created = json_text(row, "created_at");
	char made[CLOCK_TEXT_BYTES];
	char size[TEXT_SIZE_BYTES];
	auto_free char *name = whose_backup(row, err);
	time_t when;
	bool dated = created != NULL && clock_parse_rfc3339(created, &when);

	if (name == NULL || table_add(table, name, err) < 0 ||
	    table_add(table, dated ? clock_local(made, when) : "-", err) < 0 ||
	    table_add(table,
		text_show_size(size, (uint64_t)json_number(row, "size_bytes")),
		err) < 0)
		return -1;
	return table_add(table, plan_word(json_text(row, "plan")), err);
}

/* What shows a run. */
struct show {
	struct output *output;
	bool dry_run;
	const char *hint; /* the last; many fail for one reason. Borrowed */
};

static void
show_plan(void *data, const json_t *plan)
{
	struct output *output = ((struct show *)data)->output;
	auto_table struct table table = {.columns = COLUMNS};
	struct error failure = {0};
	const json_t *row;
	size_t i;
	bool whole =
	    table_add(&table, _("INSTANCE OR VOLUME"), &failure) == 0 &&
	    table_add(&table, _("MADE"), &failure) == 0 &&
	    table_add(&table, _("SIZE"), &failure) == 0 &&
	    table_add(&table, _("WHAT HAPPENS"), &failure) == 0;

	json_array_foreach(plan, i, row)
	{
		whole = whole && add_row(&table, row, &failure) == 0;
	}
	if (whole)
		table_print(&table, output);
}

static void
show_hint(struct show *show, const char *hint)
{
	if (hint == NULL ||
	    (show->hint != NULL && strcmp(hint, show->hint) == 0))
		return;
	show->hint = hint;
	while (*hint != '\0') {
		size_t length = strcspn(hint, "\n");

		watch_note(
		    output_watch(show->output), "  %.*s", (int)length, hint);
		hint += length + (hint[length] != '\0');
	}
}

static void
show_done(void *data, const json_t *row)
{
	struct show *show = data;
	const struct watch *watch = output_watch(show->output);
	struct error ignored = {0};
	auto_free char *name = whose_backup(row, &ignored);

	if (name == NULL)
		return;
	if (json_number(row, "status") != 0) {
		watch_note(
		    watch, _("%s failed: %s"), name, json_text(row, "error"));
		show_hint(show, json_text(row, "hint"));
	} else if (!show->dry_run) {
		watch_note(watch, _("%s is there again"), name);
	}
}

static void
show_sum(struct output *output, const json_t *plan)
{
	size_t restored = 0;
	size_t there = 0;
	const json_t *row;
	size_t i;

	json_array_foreach(plan, i, row)
	{
		there += strcmp(json_text(row, "plan"), "exists") == 0;
		restored += json_is_integer(json_object_get(row, "status")) &&
			    json_number(row, "status") == 0;
	}
	watch_note(output_watch(output),
	    _("%zu of %zu instances and volumes restored, %zu were there"),
	    restored, json_array_size(plan), there);
}

int
restore_all_command(const struct invocation *invocation,
    const struct restore_request *each, const char *at, const char *server,
    struct error *err)
{
	struct show show = {
	    .output = invocation->output, .dry_run = each->dry_run};
	struct restore_all_request request = {
	    .each = *each,
	    .server = server,
	    .planned = show_plan,
	    .done = show_done,
	    .data = &show,
	};
	auto_json json_t *plan = NULL;
	auto_json json_t *fields = NULL;
	time_t begin;
	int status;

	if (each->name != NULL || each->force)
		return error_set(err, ERROR_USAGE,
		    _("--all goes with neither --name nor --force"));
	/* A day is meant to its end. */
	if (at != NULL &&
	    !clock_parse_span(at, time(NULL), &begin, &request.at))
		return error_set(err, ERROR_USAGE,
		    _("--at wants a time such as 2026-11-22 or yesterday, not "
		      "'%s'"),
		    at);
	request.at -= at != NULL;
	status =
	    restore_all(&request, output_watch(invocation->output), &plan, err);
	if (json_array_size(plan) > 0 && !each->dry_run)
		show_sum(invocation->output, plan);
	fields = json_pack("{s:O?}", "instances", plan);
	output_json(invocation->output, fields);
	return status;
}
