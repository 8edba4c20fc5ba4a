#include "cli/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/notify.h"
#include "cli/command.h"
#include "cli/progress.h"

/* The number in "schema" of --json. */
#define JSON_SCHEMA 1

struct output {
	const struct global_options *global;
	struct progress progress;
	struct watch watch;
	json_t *fields;
	json_t *notes;
	char last[NOTIFY_STATUS_BYTES]; /* line or remark, shown or not */
	size_t item_count; /* printed, in an array that is still open */
	bool json;
	bool stdout_reserved;
	bool stdout_failed;
	int status; /* of a run that has not failed */
};

static void
on_start(void *data, const char *what, uint64_t total_bytes)
{
	progress_start(&((struct output *)data)->progress, what, total_bytes);
}

static void
on_advance(void *data, uint64_t bytes)
{
	progress_advance(&((struct output *)data)->progress, bytes);
}

static void
on_stop(void *data)
{
	progress_stop(&((struct output *)data)->progress);
}

static void
on_note(void *data, const char *text)
{
	output_note(data, text);
}

static void
on_detail(void *data, const char *text)
{
	progress_clear(&((struct output *)data)->progress);
	(void)fprintf(stderr, "anklume: %s\n", text);
}

/* A question needs a person: without a terminal only --yes answers. */
static bool
on_confirm(void *data, const char *question)
{
	struct output *output = data;
	char answer[16] = {0};

	if (output->global->yes)
		return true;
	if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
		return false;
	progress_clear(&output->progress);
	(void)fprintf(stderr, "%s %s ", question, _("[y/N]"));
	(void)fflush(stderr);
	if (fgets(answer, sizeof(answer), stdin) == NULL)
		return false;
	return strchr(_("yY"), answer[0]) != NULL && answer[0] != '\0';
}

struct output *
output_new(const struct global_options *global, struct error *err)
{
	struct output *output = calloc(1, sizeof(*output));

	if (output == NULL) {
		error_set_memory(err);
		return NULL;
	}
	output->global = global;
	output->json = global->json;
	output->fields = json_object();
	output->notes = json_array();
	progress_init(&output->progress, global->quiet);
	output->watch = (struct watch){
	    .data = output,
	    .start = on_start,
	    .advance = on_advance,
	    .stop = on_stop,
	    .note = on_note,
	    .detail = global->verbose && !global->quiet ? on_detail : NULL,
	    .confirm = on_confirm,
	};
	return output;
}

void
output_free(struct output *output)
{
	if (output == NULL)
		return;
	progress_stop(&output->progress);
	json_decref(output->fields);
	json_decref(output->notes);
	free(output);
}

const struct watch *
output_watch(const struct output *output)
{
	return &output->watch;
}

void
output_force_json(struct output *output)
{
	output->json = true;
}

bool
output_is_json(const struct output *output)
{
	return output->json;
}

void
output_set_status(struct output *output, int status)
{
	output->status = status;
}

void
output_reserve_stdout(struct output *output)
{
	output->stdout_reserved = true;
}

void
output_line(struct output *output, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(output->last, sizeof(output->last), format, arguments);
	va_end(arguments);
	if (output->json || output->stdout_reserved)
		return;
	progress_clear(&output->progress);
	va_start(arguments, format);
	if (vprintf(format, arguments) < 0 || putchar('\n') == EOF)
		output->stdout_failed = true;
	va_end(arguments);
}

void
output_note(struct output *output, const char *text)
{
	(void)json_array_append_new(output->notes, json_string(text));
	(void)snprintf(output->last, sizeof(output->last), "%s", text);
	if (output->global->quiet)
		return;
	progress_clear(&output->progress);
	(void)fprintf(stderr, "anklume: %s\n", text);
}

void
output_json(struct output *output, const json_t *fields)
{
	(void)json_object_update(output->fields, (json_t *)(uintptr_t)fields);
}

/* Each line of the hint, indented under the message. */
static void
print_error(const struct error *err)
{
	const char *line = err->hint;

	(void)fprintf(stderr, "anklume: %s\n", err->text);
	while (*line != '\0') {
		size_t length = strcspn(line, "\n");

		(void)fprintf(stderr, "  %.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

void
output_item(struct output *output, const char *key, json_t *item)
{
	struct error failure = {0};
	auto_json json_t *owned = item;
	auto_free char *text = NULL;

	if (!output->json || output->stdout_reserved)
		return;
	text = json_print(owned, false, &failure);
	if (text == NULL)
		return;
	if (output->item_count++ == 0)
		(void)printf("{\n  \"%s\": [\n    ", key);
	else
		(void)fputs(",\n    ", stdout);
	(void)fputs(text, stdout);
}

static void
print_json(
    const struct output *output, const char *command, const struct error *err)
{
	auto_json json_t *object = json_pack("{s:i, s:s, s:i}", "schema",
	    JSON_SCHEMA, "command", command, "status", (int)err->code);
	auto_free char *text = NULL;
	struct error failure = {0};

	(void)json_object_update(object, output->fields);
	if (json_array_size(output->notes) > 0)
		(void)json_object_set(object, "notes", output->notes);
	if (error_is_set(err))
		(void)json_object_set_new(
		    object, "error", json_string(err->text));
	text = json_print(object, true, &failure);
	if (text == NULL)
		return;
	/* What items have begun goes on behind them. */
	if (output->item_count > 0)
		(void)fputs("\n  ],", stdout);
	(void)puts(output->item_count > 0 ? text + 1 : text);
}

int
output_finish(struct output *output, const char *command, struct error *err)
{
	progress_stop(&output->progress);
	if (output->json && !output->stdout_reserved)
		print_json(output, command, err);
	/* A full disk or a closed pipe behind standard output is a failure. */
	if ((fflush(stdout) != 0 || output->stdout_failed ||
		ferror(stdout) != 0) &&
	    !error_is_set(err))
		error_set_errno(
		    err, errno, _("cannot write to standard output"));
	if (error_is_set(err))
		print_error(err);
	notify_status(error_is_set(err) ? err->text : output->last);
	return error_is_set(err) ? (int)err->code : output->status;
}
