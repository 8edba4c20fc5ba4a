#include "transfer/consistency.h"

#include <stdbool.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/backup_failure.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "incus/instance_state.h"
#include "transfer/export.h"
#include "transfer/self.h"
#include "transfer/thaw_guard.h"
#include "transfer/watch.h"

int
consistency_parse(
    const char *text, enum consistency_how *ret_how, struct error *err)
{
	static const char *const words[] = {
	    [CONSISTENCY_AUTO] = "auto",
	    [CONSISTENCY_LIVE] = "live",
	    [CONSISTENCY_FREEZE] = "freeze",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		*ret_how = (enum consistency_how)i;
		return 0;
	}
	error_set(err, ERROR_USAGE, _("unknown consistency '%s'"), text);
	return error_hint(err, _("one of: %s"), "auto, live, freeze");
}

int
consistency_check_self(struct incus_client *client,
    const struct instance_ref *instance, struct error *err)
{
	switch (self_ask(client, instance)) {
	case SELF_NO:
		return 0;
	case SELF_YES:
		return error_set(err, ERROR_EXISTS,
		    _("anklume runs in '%s/%s': it does not freeze itself"),
		    instance->project, instance->name);
	case SELF_UNKNOWN:
		break;
	}
	return error_set(err, ERROR_EXISTS,
	    _("whether anklume runs in '%s/%s' itself cannot be told: it is "
	      "not frozen"),
	    instance->project, instance->name);
}

/* As it is. What somebody else has frozen counts if it still is in the end. */
static int
export_as_it_is(const struct export_request *request,
    const struct instance_ref *instance, bool is_frozen,
    const struct watch *watch, struct exported *ret_exported, struct error *err)
{
	auto_json json_t *after = NULL;

	if (export_archive(request, watch, ret_exported, err) < 0)
		return -1;
	if (!is_frozen)
		return 0;
	if (incus_instance_get(request->client, instance, &after, err) < 0)
		return -1;
	ret_exported->frozen = instance_is_frozen(after);
	return 0;
}

static int
export_frozen(const struct export_request *request,
    const struct consistency *consistency, const struct watch *watch,
    struct exported *ret_exported, struct error *err)
{
	const struct instance_ref *instance = consistency->instance;
	struct export_request frozen = *request;
	int result;

	frozen.guard = thaw_guard_new(
	    instance, consistency->timeout_s, consistency->freeze_limit_s, err);
	if (frozen.guard == NULL) {
		if (err->code != ERROR_EXISTS)
			return error_prefix(err, _("cannot freeze '%s/%s'"),
			    instance->project, instance->name);
		error_clear(err);
		return export_as_it_is(
		    request, instance, true, watch, ret_exported, err);
	}
	result = export_archive(&frozen, watch, ret_exported, err);
	thaw_guard_free(frozen.guard, err);
	if (result == 0)
		watch_note(watch, _("'%s/%s' was frozen for %.1f s"),
		    instance->project, instance->name,
		    (double)ret_exported->frozen_ms / 1000);
	return result;
}

/* Whether the failure *err is a file that changed; *err then says so. */
static bool
is_change(const struct export_request *request, struct error *err)
{
	struct error ignored = {0};
	auto_free char *reason = NULL;

	if (backup_failure_is_change(err->text))
		return true;
	/* A stream that is cut says less than its operation. */
	if (err->code != ERROR_DAMAGED && err->code != ERROR_FAILED)
		return false;
	reason =
	    incus_backup_failure(request->client, request->subject, &ignored);
	if (reason == NULL || !backup_failure_is_change(reason))
		return false;
	error_clear(err);
	incus_set_error(err, 0, reason);
	return true;
}

/* A second try is for what nobody has seen yet. */
static bool
may_freeze(const struct export_request *request,
    const struct consistency *consistency, const struct exported *exported)
{
	struct error ignored = {0};

	return consistency->how == CONSISTENCY_AUTO &&
	       !(exported->begun && export_is_to_stdout(request->output)) &&
	       consistency_check_self(
		   request->client, consistency->instance, &ignored) == 0;
}

int
consistency_export(const struct export_request *request,
    const struct consistency *consistency, const json_t *about,
    const struct watch *watch, struct exported *ret_exported, struct error *err)
{
	bool is_frozen = instance_is_frozen(about);
	bool runs = consistency->instance != NULL &&
		    instance_is_running(about) && !is_frozen;

	if (runs && consistency->how == CONSISTENCY_FREEZE)
		return export_frozen(
		    request, consistency, watch, ret_exported, err);
	if (export_as_it_is(request, consistency->instance, is_frozen, watch,
		ret_exported, err) == 0)
		return 0;
	if (!runs || !is_change(request, err))
		return -1;
	if (!may_freeze(request, consistency, ret_exported))
		return error_hint(err,
		    _("a file changed while it was read: --consistency freeze "
		      "freezes the instance meanwhile"));

	watch_note(watch,
	    _("a file changed while it was read; once more, with '%s/%s' "
	      "frozen: %s"),
	    consistency->instance->project, consistency->instance->name,
	    err->text);
	error_clear(err);
	exported_clear(ret_exported);
	return export_frozen(request, consistency, watch, ret_exported, err);
}
