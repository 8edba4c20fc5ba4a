#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/configured.h"
#include "cli/output.h"
#include "cli/table.h"
#include "transfer/backup_list.h"
#include "transfer/origin.h"
#include "transfer/whose.h"

#define COLUMNS 8

struct list_options {
	const char *from;
	const char *recipient;
};

#define FIELD(name) offsetof(struct list_options, name)

static const struct option_spec specs[] = {
    {"from", 0, OPTION_TEXT, FIELD(from), N_("DIR"),
	N_("the directory of archives; default: backups"), WORD_ARCHIVES},
    {"recipient", 0, OPTION_TEXT, FIELD(recipient), N_("FPR"),
	N_("what is encrypted to this key")},
    {0},
};

static int
add_heading(struct table *table, struct error *err)
{
	const char *const headings[COLUMNS] = {_("INSTANCE OR VOLUME"),
	    _("MADE"), _("SIZE"), _("ENCRYPTED"), _("ORIGIN"), _("VERIFIED"),
	    _("DRILLED"), _("FILE")};

	for (size_t i = 0; i < COLUMNS; i++) {
		if (table_add(table, headings[i], err) < 0)
			return -1;
	}
	return 0;
}

/* "2026-11-22 03:04:05", local time. */
static const char *
show_time(char buf[CLOCK_TEXT_BYTES], const json_t *manifest)
{
	const char *created = json_text(manifest, "created_at");
	time_t when;

	if (created == NULL || !clock_parse(created, 0, &when))
		return "?";
	return clock_local(buf, when);
}

static int
add_subject(struct table *table, const json_t *manifest, struct error *err)
{
	auto_free char *whole = whose_backup(manifest, err);

	return whole != NULL ? table_add(table, whole, err) : -1;
}

/* The path, and what is the matter with it. */
static int
add_file(struct table *table, const json_t *backup, struct error *err)
{
	const char *state = json_text(backup, "state");
	auto_free char *whole = NULL;

	if (strcmp(state, "present") == 0)
		return table_add(table, json_text(backup, "path"), err);
	whole =
	    text_format(err, "%s  (%s)", json_text(backup, "path"), _(state));
	return whole != NULL ? table_add(table, whole, err) : -1;
}

/* When it was proven last, or "". */
static const char *
proof_day(const json_t *proofs, const char *kind)
{
	const char *at = json_text(json_object_get(proofs, kind), "at");

	return at != NULL ? at : "";
}

/* "2026-11-22", and what to know of it. */
static int
add_day(
    struct table *table, const char *at, const char *remark, struct error *err)
{
	char local[CLOCK_TEXT_BYTES];
	auto_free char *cell = NULL;
	time_t when;

	if (!clock_parse(at, 0, &when))
		return table_add(table, "-", err);
	cell = text_format(err, "%.10s%s", clock_local(local, when), remark);
	return cell != NULL ? table_add(table, cell, err) : -1;
}

/* Its content, unless only its bytes were compared since. */
static int
add_verified(struct table *table, const json_t *proofs, struct error *err)
{
	const char *content = proof_day(proofs, "content");
	const char *digest = proof_day(proofs, "digest");

	if (strcmp(digest, content) > 0)
		return add_day(table, digest, _(" (digest)"), err);
	return add_day(table, content, "", err);
}

static int
add_row(struct table *table, const json_t *backup, struct error *err)
{
	const json_t *manifest = json_object_get(backup, "manifest");
	const json_t *proofs = json_object_get(backup, "proofs");
	uint64_t size = (uint64_t)json_number(backup, "size_bytes");
	char made[CLOCK_TEXT_BYTES];
	char origin[ORIGIN_SHOWN_BYTES];
	char shown[TEXT_SIZE_BYTES];

	if (add_subject(table, manifest, err) < 0 ||
	    table_add(table, show_time(made, manifest), err) < 0 ||
	    table_add(table, text_show_size(shown, size), err) < 0 ||
	    table_add(table,
		json_flag(backup, "encrypted") ? _("yes") : _("no"), err) < 0 ||
	    table_add(table, origin_show(origin, json_text(backup, "origin")),
		err) < 0 ||
	    add_verified(table, proofs, err) < 0 ||
	    add_day(table, proof_day(proofs, "drill"), "", err) < 0)
		return -1;
	return add_file(table, backup, err);
}

static int
print_table(struct output *output, const json_t *backups, struct error *err)
{
	auto_table struct table table = {.columns = COLUMNS};
	const json_t *one;
	size_t i;

	if (add_heading(&table, err) < 0)
		return -1;
	json_array_foreach(backups, i, one)
	{
		if (add_row(&table, one, err) < 0)
			return -1;
	}
	table_print(&table, output);
	return 0;
}

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct list_options *options = invocation->options;
	struct backup_list_request request = {
	    .words = invocation->arguments,
	    .word_count = invocation->argument_count,
	    .from = configured_from(invocation, options->from),
	    .project = invocation->global->project,
	    .recipient = options->recipient,
	};
	auto_json json_t *backups = NULL;
	auto_json json_t *fields = NULL;

	if (backup_list(&request, &backups, err) < 0)
		return -1;
	fields = json_pack("{s:O}", "backups", backups);
	output_json(invocation->output, fields);
	if (invocation->global->json)
		return 0;
	return print_table(invocation->output, backups, err);
}

const struct command backup_list_command = {
    .words = "backup list",
    .arguments = N_("[INSTANCE[@TIME]...]"),
    .summary = N_("list backups, from their manifests alone"),
    .details = N_("A custom volume is spelled PROJECT/POOL/VOLUME.\n"),
    .examples = "  anklume backup list\n"
		"  anklume backup list web@yesterday --from /srv/backups\n"
		"  anklume backup list work/default/data\n",
    .options = specs,
    .options_size = sizeof(struct list_options),
    .configured = true,
    .arguments_min = 0,
    .arguments_max = ARGUMENTS_ANY,
    .argument_kinds = {WORD_ARCHIVED},
    .run = run,
};
