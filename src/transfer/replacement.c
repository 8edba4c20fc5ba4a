#include "transfer/replacement.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/text.h"
#include "incus/instance.h"
#include "transfer/watch.h"

static bool
is_protected(const json_t *instance)
{
	const char *value =
	    json_text(json_object_get(instance, "expanded_config"),
		"security.protection.delete");

	return value != NULL && strcmp(value, "true") == 0;
}

static int
ask(const struct watch *watch, const struct instance_ref *target,
    struct error *err)
{
	auto_free char *question = text_format(err,
	    _("replace the instance '%s/%s'? its present state is lost"),
	    target->project, target->name);

	if (question == NULL)
		return -1;
	if (watch_confirm(watch, question))
		return 0;
	error_set(err, ERROR_USAGE, _("'%s/%s' was not replaced"),
	    target->project, target->name);
	return error_hint(err, _("--yes answers the question beforehand"));
}

int
replacement_prepare(struct incus_client *client,
    const struct instance_ref *target, const struct watch *watch,
    struct replacement *ret_replacement, struct error *err)
{
	struct replacement found = {0};
	auto_json json_t *instance = NULL;
	char random[9];

	*ret_replacement = found;
	if (incus_instance_get(client, target, &instance, err) < 0) {
		if (err->code != ERROR_NOT_FOUND)
			return -1;
		error_clear(err);
		return 0;
	}
	if (is_protected(instance)) {
		error_set(err, ERROR_DENIED,
		    _("'%s/%s' is protected from deletion"), target->project,
		    target->name);
		return error_hint(err,
		    "incus config set %s security.protection.delete=false "
		    "--project %s",
		    target->name, target->project);
	}
	if (ask(watch, target, err) < 0 || text_random_hex(random, 8, err) < 0)
		return -1;
	found.exists = true;
	found.running = instance_is_running(instance);
	(void)snprintf(
	    found.beside, sizeof(found.beside), "anklume-restore-%s", random);
	*ret_replacement = found;
	return 0;
}

/* Nothing here may be cut in half by an interruption. */
static int
swap(struct incus_client *client, const struct instance_ref *target,
    const struct replacement *replacement, struct error *err)
{
	char aside[64];
	char beside[64];
	struct instance_ref old = {target->project, aside};
	struct instance_ref new = {target->project, beside};
	struct error ignored = {0};

	(void)snprintf(beside, sizeof(beside), "%s", replacement->beside);
	(void)snprintf(aside, sizeof(aside), "anklume-replaced-%s",
	    strrchr(replacement->beside, '-') + 1);

	if (replacement->running &&
	    incus_instance_stop(client, target, err) < 0)
		return -1;
	if (incus_instance_rename(client, target, aside, err) < 0)
		goto restart;
	if (incus_instance_rename(client, &new, target->name, err) < 0) {
		(void)incus_instance_rename(
		    client, &old, target->name, &ignored);
		goto restart;
	}
	if (incus_instance_delete(client, &old, err) < 0)
		return error_prefix(err,
		    _("'%s/%s' is restored, but the old instance is still "
		      "there as '%s'"),
		    target->project, target->name, aside);
	return 0;

restart:
	error_clear(&ignored);
	if (replacement->running)
		(void)incus_instance_start(client, target, &ignored);
	return -1;
}

int
replacement_finish(struct incus_client *client,
    const struct instance_ref *target, const struct replacement *replacement,
    struct error *err)
{
	int result;

	interrupt_shield_up();
	result = swap(client, target, replacement, err);
	interrupt_shield_down();
	return result;
}
