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
#include "incus/instance_state.h"
#include "transfer/watch.h"

static int
refuse_protected(const struct instance_ref *target, struct error *err)
{
	error_set(err, ERROR_DENIED, _("'%s/%s' is protected from deletion"),
	    target->project, target->name);
	return error_hint_command(err, "incus", "config", "set", target->name,
	    "security.protection.delete=false", "--project", target->project,
	    NULL);
}

/* The holder of the name: 1 and *ret_instance, 0 when there is none. */
static int
look(struct incus_client *client, const struct instance_ref *target,
    json_t **ret_instance, struct error *err)
{
	if (incus_instance_get(client, target, ret_instance, err) < 0) {
		if (err->code != ERROR_NOT_FOUND)
			return -1;
		error_clear(err);
		return 0;
	}
	if (instance_is_protected(*ret_instance))
		return refuse_protected(target, err);
	return 1;
}

int
replacement_prepare(struct incus_client *client,
    const struct instance_ref *target, struct replacement *ret_replacement,
    struct error *err)
{
	struct replacement found = {0};
	auto_json json_t *instance = NULL;
	char random[REPLACEMENT_NAME_DIGITS + 1];
	int there = look(client, target, &instance, err);

	if (there < 0 ||
	    text_random_hex(random, REPLACEMENT_NAME_DIGITS, err) < 0)
		return -1;
	found.exists = there > 0;
	found.running = there > 0 && instance_is_running(instance);
	(void)snprintf(found.beside, sizeof(found.beside),
	    REPLACEMENT_BESIDE_PREFIX "%s", random);
	(void)snprintf(found.aside, sizeof(found.aside),
	    REPLACEMENT_ASIDE_PREFIX "%s", random);
	*ret_replacement = found;
	return 0;
}

int
replacement_confirm(const struct instance_ref *target,
    const struct watch *watch, struct error *err)
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

/* What is being replaced, and how far that is. */
struct swap {
	struct incus_client *client;
	const struct instance_ref *target;
	struct replacement *replacement;
	json_t *instance; /* the old one, as the daemon shows it */
	bool ephemeral;
	bool moved; /* the old one is aside */
};

static int
set_ephemeral(const struct swap *swap, bool ephemeral, struct error *err)
{
	if (!swap->ephemeral)
		return 0;
	if (json_object_set_new(
		swap->instance, "ephemeral", json_boolean(ephemeral)) < 0)
		return error_set_memory(err);
	return incus_instance_put(
	    swap->client, swap->target, swap->instance, err);
}

/* Undo the first steps. */
static void
put_back(const struct swap *swap, struct error *err)
{
	const struct instance_ref *target = swap->target;
	struct instance_ref old = {target->project, swap->replacement->aside};
	struct error why = {0};

	if (swap->moved &&
	    incus_instance_rename(swap->client, &old, target->name, &why) < 0)
		error_hint(err, _("the old instance is now '%s/%s': %s"),
		    old.project, old.name, why.text);
	else if (swap->replacement->running &&
		 (incus_instance_start(swap->client, target, &why) < 0 ||
		     set_ephemeral(swap, true, &why) < 0))
		error_hint(err, _("'%s/%s' is not as it was: %s"),
		    target->project, target->name, why.text);
}

/* Stop the old one and move it aside. Stopping would delete an ephemeral one:
 * it first becomes one that stays. */
static int
move_aside(struct swap *swap, struct error *err)
{
	struct replacement *replacement = swap->replacement;

	replacement->running = instance_is_running(swap->instance);
	swap->ephemeral = json_flag(swap->instance, "ephemeral");
	if (replacement->running &&
	    (set_ephemeral(swap, false, err) < 0 ||
		incus_instance_stop(swap->client, swap->target, err) < 0))
		return -1;
	if (incus_instance_rename(
		swap->client, swap->target, replacement->aside, err) < 0)
		return -1;
	swap->moved = true;
	return 0;
}

static int
swap_names(struct swap *swap, struct error *err)
{
	const struct instance_ref *target = swap->target;
	struct instance_ref new = {target->project, swap->replacement->beside};
	/* Much may have happened during the upload. */
	int there = look(swap->client, target, &swap->instance, err);

	if (there < 0)
		return -1;
	swap->replacement->exists = there > 0;
	if ((there == 0 || move_aside(swap, err) == 0) &&
	    incus_instance_rename(swap->client, &new, target->name, err) == 0)
		return 0;
	if (there > 0)
		put_back(swap, err);
	return -1;
}

int
replacement_swap(struct incus_client *client, const struct instance_ref *target,
    struct replacement *replacement, struct error *err)
{
	struct swap swap = {
	    .client = client, .target = target, .replacement = replacement};
	int result;

	/* Nothing here may be cut in half by an interruption. */
	interrupt_shield_up();
	result = swap_names(&swap, err);
	interrupt_shield_down();
	json_decref(swap.instance);
	return result;
}

int
replacement_delete_old(struct incus_client *client,
    const struct instance_ref *target, const struct replacement *replacement,
    struct error *err)
{
	char aside[sizeof(replacement->aside)];
	struct instance_ref old = {target->project, aside};
	int result;

	if (!replacement->exists)
		return 0;
	memcpy(aside, replacement->aside, sizeof(aside));
	interrupt_shield_up();
	result = incus_instance_delete(client, &old, err);
	interrupt_shield_down();
	if (result == 0)
		return 0;
	return error_prefix(err,
	    _("'%s/%s' is restored, but the old instance is still there as "
	      "'%s'"),
	    target->project, target->name, aside);
}
