#include "transfer/restore_name.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "stream/backup_index.h"
#include "transfer/identity.h"
#include "transfer/restore.h"
#include "transfer/self.h"
#include "transfer/watch.h"

/* The holder of the target's name may be replaced, or not. */
static int
check_holder(struct restore_name *name, struct error *err)
{
	const struct instance_ref *target = name->target;

	if (name->request->force) {
		if (replacement_prepare(
			name->client, target, &name->replacement, err) < 0)
			return -1;
		if (name->replacement.running && self_is(name->client, target))
			return error_set(err, ERROR_EXISTS,
			    _("anklume runs in '%s/%s': it does not replace "
			      "itself"),
			    target->project, target->name);
		return 0;
	}
	error_set(err, ERROR_EXISTS, _("'%s/%s' exists already"),
	    target->project, target->name);
	return error_hint(err,
	    _("--name gives the restored one another name, --force replaces "
	      "it"));
}

/* Somebody else who has the name that the archive's instance had: a namesake,
 * or the instance itself. */
static int
check_twin(struct restore_name *name, const struct instance_ref *one,
    bool *twin, struct error *err)
{
	int shared = *twin || name->request->keep_identity
			 ? 0
			 : identity_is_shared(
			       name->client, one, name->index->config, err);

	if (shared < 0)
		return -1;
	if (shared > 0) {
		*twin = true;
		watch_note(name->watch,
		    _("'%s/%s' has the same MAC addresses or UUID: the "
		      "restored one gets new ones"),
		    one->project, one->name);
	}
	return 0;
}

int
restore_name_check(struct restore_name *name, struct error *err)
{
	const struct instance_ref *target = name->target;
	auto_instance_names struct instance_names names = {0};
	bool twin = false;
	bool taken = false;

	if (incus_list_names(name->client, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		const struct instance_ref *one = &names.items[i];
		bool here = strcmp(one->project, target->project) == 0;
		bool same = strcmp(one->name, target->name) == 0;

		if (here && same)
			taken = true;
		else if (strcmp(one->name, name->index->name) == 0 &&
			 check_twin(name, one, &twin, err) < 0)
			return -1;
		if (!here && same && !name->request->among_many)
			watch_note(name->watch,
			    _("the project '%s' holds an instance '%s', too"),
			    one->project, one->name);
	}
	name->new_identity =
	    !name->request->keep_identity &&
	    (twin || strcmp(target->name, name->index->name) != 0);
	return taken ? check_holder(name, err) : 0;
}

int
restore_name_confirm(const struct restore_name *name, struct error *err)
{
	if (!name->replacement.exists || name->request->dry_run)
		return 0;
	return replacement_confirm(name->target, name->watch, err);
}
