#include "incus/exec.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/wait.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "incus/operation.h"

/* How often the daemon is asked. It forgets an operation 5 s after its end
 * (incus, internal/server/operations). */
#define LOOK_MS 200

/* Of an operation that has ended, well or not (incus,
 * shared/api/status_code.go). */
#define STATUS_FINAL 200

static int
wait_for_return(struct incus_client *client, const struct operation *operation,
    int64_t deadline_ms, int *ret_status, struct error *err)
{
	auto_free char *path =
	    text_format(err, "/1.0/operations/%s", operation->id);

	if (path == NULL)
		return -1;
	for (;;) {
		auto_json json_t *now = NULL;
		const json_t *returned;

		if (incus_get(client, path, &now, err) < 0)
			return -1;
		returned = json_at(now, "metadata", "return", NULL);
		if (json_number(now, "status_code") >= STATUS_FINAL) {
			*ret_status = json_is_integer(returned)
					  ? (int)json_integer_value(returned)
					  : -1;
			return 0;
		}
		if (clock_left_ms(deadline_ms) == 0) {
			*ret_status = -1;
			return 0;
		}
		if (wait_ready(-1, 0, LOOK_MS, err) < 0)
			return -1;
	}
}

int
incus_exec(struct incus_client *client, const struct instance_ref *in,
    const char *line, int64_t deadline_ms, int *ret_status, struct error *err)
{
	auto_free char *path =
	    incus_path(err, in->project, "instances", in->name, "exec", NULL);
	auto_json json_t *body = json_pack("{s:[s,s,s], s:b, s:b, s:b}",
	    "command", "/bin/sh", "-c", line, "record-output", 0,
	    "wait-for-websocket", 0, "interactive", 0);
	auto_operation struct operation operation = {0};

	if (path == NULL)
		return -1;
	if (body == NULL)
		return error_set_memory(err);
	if (operation_start(client, "POST", path, body, &operation, err) < 0)
		return -1;
	return wait_for_return(
	    client, &operation, deadline_ms, ret_status, err);
}
