#include <stddef.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/configured.h"
#include "cli/output.h"
#include "cli/table.h"
#include "transfer/backup_list.h"
#include "transfer/origin.h"

struct show_options {
	const char *from;
};

static const struct option_spec specs[] = {
    {"from", 0, OPTION_TEXT, offsetof(struct show_options, from), N_("DIR"),
	N_("where BACKUP is looked for; default: backups"), WORD_ARCHIVES},
    {0},
};

/* What a person wants to know of a manifest, in this order. */
static const struct {
	const char *key;
	const char *label;
} shown[] = {
    {"instance", N_("instance")},
    {"volume", N_("volume")},
    {"project", N_("project")},
    {"server", N_("server")},
    {"type", N_("type")},
    {"content_type", N_("content")},
    {"architecture", N_("architecture")},
    {"created_at", N_("made at")},
    {"archive", N_("made as")},
    {"anklume", N_("made by anklume")},
    {"incus", N_("on Incus")},
    {"pool", N_("storage pool")},
    {"driver", N_("its driver")},
    {"consistency", N_("consistency")},
    {"compression", N_("compression")},
    {"recipients", N_("encrypted to")},
    {"sha256", N_("SHA-256")},
    {"entries", N_("members")},
    {"tar_size_bytes", N_("bytes unpacked")},
    {"tar_sha256", N_("SHA-256 unpacked")},
    {"snapshots", N_("snapshots")},
    {"profiles", N_("profiles")},
    {"volumes", N_("volumes")},
    {"not_included", N_("not included")},
    {"warnings", N_("warnings")},
};

/* An object as what it names. */
static const char *
name_in(const json_t *object)
{
	const char *name = json_text(object, "name");

	return name != NULL ? name : json_text(object, "source");
}

static bool
is_volume(const json_t *value)
{
	return json_text(value, "project") != NULL &&
	       json_text(value, "pool") != NULL &&
	       json_text(value, "name") != NULL;
}

/* "PROJECT/POOL/VOLUME", and the archive that it is in. */
static char *
volume_text(const json_t *volume, struct error *err)
{
	const char *archive = json_text(volume, "archive");
	auto_free char *name =
	    text_format(err, "%s/%s/%s", json_text(volume, "project"),
		json_text(volume, "pool"), json_text(volume, "name"));

	if (name == NULL || archive == NULL)
		return steal(name);
	return text_format(err, _("%s, in %s"), name, archive);
}

/* One value of a manifest, heap. NULL and no error: nothing to show. */
static char *
value_text(const json_t *value, struct error *err)
{
	if (json_is_string(value))
		return text_copy(
		    json_string_value(value), json_string_length(value), err);
	if (json_is_integer(value))
		return text_format(
		    err, "%lld", (long long)json_integer_value(value));
	if (is_volume(value))
		return volume_text(value, err);
	if (json_is_object(value) && name_in(value) != NULL)
		return text_format(err, "%s", name_in(value));
	return NULL;
}

static int
add_line(struct table *table, const char *label, const json_t *value,
    struct error *err)
{
	auto_free char *text = value_text(value, err);

	if (text == NULL || *text == '\0')
		return error_is_set(err) ? -1 : 0;
	if (table_add(table, label, err) < 0)
		return -1;
	return table_add(table, text, err);
}

/* A line for each item of a list, the label before the first. */
static int
add_value(struct table *table, const char *label, const json_t *value,
    struct error *err)
{
	const json_t *one;
	size_t i;

	if (!json_is_array(value))
		return add_line(table, label, value, err);
	json_array_foreach(value, i, one)
	{
		if (add_line(table, i == 0 ? label : "", one, err) < 0)
			return -1;
	}
	return 0;
}

static int
add_size(struct table *table, const json_t *backup, struct error *err)
{
	char size[TEXT_SIZE_BYTES];

	text_show_size(size, (uint64_t)json_number(backup, "size_bytes"));
	if (table_add(table, _("size"), err) < 0)
		return -1;
	return table_add(table, size, err);
}

static int
add_proof(struct table *table, const char *label, const json_t *proofs,
    const char *kind, struct error *err)
{
	return add_line(table, label, json_at(proofs, kind, "at", NULL), err);
}

static int
fill(struct table *table, const json_t *backup, struct error *err)
{
	const json_t *manifest = json_object_get(backup, "manifest");
	const json_t *proofs = json_object_get(backup, "proofs");
	char origin[ORIGIN_SHOWN_BYTES];

	if (add_value(table, _("file"), json_object_get(backup, "path"), err) <
		0 ||
	    add_size(table, backup, err) < 0 ||
	    table_add(table, _("origin"), err) < 0 ||
	    table_add(table, origin_show(origin, json_text(backup, "origin")),
		err) < 0 ||
	    table_add(table, _("state"), err) < 0 ||
	    table_add(table, _(json_text(backup, "state")), err) < 0 ||
	    add_value(table, _("problem"), json_object_get(backup, "problem"),
		err) < 0 ||
	    add_proof(table, _("digest verified at"), proofs, "digest", err) <
		0 ||
	    add_proof(table, _("content verified at"), proofs, "content", err) <
		0 ||
	    add_proof(table, _("drilled at"), proofs, "drill", err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		if (add_value(table, _(shown[i].label),
			json_object_get(manifest, shown[i].key), err) < 0)
			return -1;
	}
	return 0;
}

static void
print_commands(struct output *output, const json_t *lines)
{
	const json_t *one;
	size_t i;

	output_line(output, "%s", "");
	output_line(output, "%s", _("to restore it without anklume:"));
	json_array_foreach(lines, i, one)
	{
		char line[8192];

		text_escape(line, sizeof(line), json_string_value(one),
		    json_string_length(one));
		output_line(output, "    %s", line);
	}
}

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct show_options *options = invocation->options;
	struct backup_show_request request = {
	    .backup = invocation->arguments[0],
	    .from = configured_from(invocation, options->from),
	    .project = invocation->project,
	};
	auto_table struct table table = {.columns = 2};
	auto_json json_t *backup = NULL;
	auto_json json_t *fields = NULL;

	if (backup_show(
		&request, output_watch(invocation->output), &backup, err) < 0 ||
	    fill(&table, backup, err) < 0)
		return -1;
	fields = json_pack("{s:O}", "backup", backup);
	output_json(invocation->output, fields);
	table_print(&table, invocation->output);
	print_commands(
	    invocation->output, json_object_get(backup, "restore_commands"));
	return 0;
}

const struct command backup_show_command = {
    .words = "backup show",
    .arguments = N_("BACKUP"),
    .summary = N_("what is known of a backup, and how to do without anklume"),
    .examples = "  anklume backup show web\n"
		"  anklume backup show backups/web-20260214-120000.tar.gz\n",
    .options = specs,
    .options_size = sizeof(struct show_options),
    .configured = true,
    .arguments_min = 1,
    .arguments_max = 1,
    .argument_kinds = {WORD_BACKUP},
    .run = run,
};
