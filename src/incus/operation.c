#include "incus/operation.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/wait.h"
#include "incus/client.h"
#include "incus/http.h"

/* One slice of waiting. The daemon forgets an operation 5 s after its end
 * (incus, internal/server/operations): a slice must be shorter. */
#define SLICE_S 2

/* States begin here, final ones there (incus, shared/api/status_code.go). */
#define STATUS_FIRST 100
#define STATUS_FINAL 200

void
operation_clear(struct operation *operation)
{
	free(operation->id);
	free(operation->progress);
	*operation = (struct operation){0};
}

int
operation_from_reply(const struct http_reply *reply,
    struct operation *ret_operation, struct error *err)
{
	auto_json json_t *envelope = incus_open_reply(reply, err);
	const char *id;

	if (envelope == NULL)
		return -1;
	id = json_text(json_object_get(envelope, "metadata"), "id");
	if (id == NULL || *id == '\0' ||
	    id[strspn(id, "0123456789abcdef-")] != '\0')
		return error_set(err, ERROR_FAILED,
		    _("the daemon names no operation in its answer"));

	ret_operation->id = text_copy(id, strlen(id), err);
	return ret_operation->id != NULL ? 0 : -1;
}

int
operation_start(struct incus_client *client, const char *method,
    const char *path, const json_t *body, struct operation *ret_operation,
    struct error *err)
{
	auto_reply struct http_reply reply = {0};
	auto_free char *text = NULL;
	struct http_request request = {.method = method, .path = path};

	if (body != NULL) {
		text = json_print(body, false, err);
		if (text == NULL)
			return -1;
		request.body = text;
	}
	if (http_call(incus_client_http(client), &request, &reply, err) < 0)
		return -1;
	return operation_from_reply(&reply, ret_operation, err);
}

/* What moves while an operation works. Heap. */
static char *
progress_of(const json_t *operation, struct error *err)
{
	const json_t *told = json_object_get(operation, "metadata");
	auto_free char *metadata =
	    told != NULL ? json_print(told, false, err) : text_copy("", 0, err);
	const char *updated = json_text(operation, "updated_at");

	if (metadata == NULL)
		return NULL;
	return text_format(
	    err, "%s %s", updated != NULL ? updated : "", metadata);
}

static int
verdict_of(const json_t *operation, struct error *err)
{
	const char *text = json_text(operation, "err");

	if (json_number(operation, "status_code") == STATUS_FINAL)
		return 0;
	return incus_set_error(err, (int)json_number(operation, "err_code"),
	    text != NULL && *text != '\0' ? text
					  : _("the operation was cancelled"));
}

int
operation_lost(struct error *err)
{
	return error_set(err, ERROR_FAILED,
	    _("the daemon no longer knows the operation: was it restarted?"));
}

/* A change is news. */
static int
note_progress(struct operation *operation, const json_t *now, struct error *err)
{
	char *progress = progress_of(now, err);

	if (progress == NULL)
		return -1;
	if (operation->progress == NULL ||
	    strcmp(operation->progress, progress) != 0)
		operation->moved_ms = clock_now_ms();
	free(operation->progress);
	operation->progress = progress;
	return 0;
}

int
operation_look(struct incus_client *client, struct operation *operation,
    bool wants_progress, struct error *err)
{
	auto_free char *path =
	    text_format(err, "/1.0/operations/%s", operation->id);
	auto_json json_t *now = NULL;
	int timeout_ms = incus_client_timeout_ms(client);
	json_int_t status;

	if (path == NULL)
		return -1;
	if (incus_get(client, path, &now, err) < 0) {
		operation->forgotten = err->code == ERROR_NOT_FOUND;
		if (!operation->forgotten)
			return -1;
		error_clear(err);
		return operation_lost(err);
	}
	status = json_number(now, "status_code");
	if (status >= STATUS_FINAL)
		return verdict_of(now, err) < 0 ? -1 : 1;
	if (status < STATUS_FIRST)
		return error_set(err, ERROR_FAILED,
		    _("the daemon does not say how its work stands"));

	if (note_progress(operation, now, err) < 0)
		return -1;
	if (wants_progress &&
	    clock_left_ms(operation->moved_ms + timeout_ms) == 0)
		return error_set(err, ERROR_UNREACHABLE,
		    _("the daemon's work has not moved for %d s"),
		    timeout_ms / 1000);
	return 0;
}

int
operation_wait(struct incus_client *client, struct operation *operation,
    bool wants_progress, struct error *err)
{
	auto_free char *path = text_format(
	    err, "/1.0/operations/%s/wait?timeout=%d", operation->id, SLICE_S);
	int ended = 0;

	if (path == NULL)
		return -1;
	while (ended == 0) {
		struct http_request slice = {.method = "GET",
		    .path = path,
		    .patience_ms = SLICE_S * 1000};
		auto_reply struct http_reply reply = {0};
		int64_t slice_end_ms = clock_now_ms() + SLICE_S * 1000;

		/* It answers at the end of the slice, or of the operation, and
		 * calls a slice that is over an error: only the look counts. */
		if (http_call(incus_client_http(client), &slice, &reply, err) <
		    0)
			return -1;
		ended = operation_look(client, operation, wants_progress, err);
		/* A daemon that does not wait must not make us spin. */
		if (ended == 0 &&
		    wait_ready(-1, 0, clock_left_ms(slice_end_ms), err) < 0)
			return -1;
	}
	return ended < 0 ? -1 : 0;
}

int
operation_run(struct incus_client *client, const char *method, const char *path,
    const json_t *body, struct error *err)
{
	auto_operation struct operation operation = {0};

	if (operation_start(client, method, path, body, &operation, err) < 0)
		return -1;
	return operation_wait(client, &operation, false, err);
}

int
operation_run_with(struct incus_client *client, const char *method,
    const char *path, json_t *body, struct error *err)
{
	auto_json json_t *owned = body;

	if (path == NULL)
		return -1;
	if (owned == NULL)
		return error_set_memory(err);
	return operation_run(client, method, path, owned, err);
}
