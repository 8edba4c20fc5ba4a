#include "transfer/backup_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "store/catalogue.h"
#include "store/proof.h"

json_t *
backup_proofs(const struct catalogue_entry *entry, struct error *err)
{
	const char *sha256 = json_text(entry->manifest, "sha256");
	json_t *proofs;

	if (sha256 != NULL)
		return proof_load(sha256, err);
	proofs = json_object();
	if (proofs == NULL)
		error_set_memory(err);
	return proofs;
}

/* The mark is on a file, not on its copies elsewhere. */
static bool
is_marked(const struct catalogue_entry *entry, const json_t *proofs)
{
	const json_t *marked =
	    json_at(proofs, proof_name(PROOF_DAMAGE), "path", NULL);
	auto_free char *place = NULL;

	if (!json_is_string(marked))
		return false;
	place = realpath(entry->path, NULL);
	return place != NULL && strcmp(place, json_string_value(marked)) == 0;
}

const char *
backup_state(const struct catalogue_entry *entry, const json_t *proofs)
{
	if (entry->problem != NULL)
		return N_("unreadable manifest");
	if (entry->missing)
		return N_("missing");
	if (entry->manifest == NULL)
		return N_("no manifest");
	if (!catalogue_entry_fits(entry))
		return N_("wrong size");
	return is_marked(entry, proofs) ? N_("damaged") : N_("present");
}

bool
backup_seems_intact(const struct catalogue_entry *entry)
{
	struct error ignored = {0};
	auto_json json_t *proofs = NULL;

	if (!catalogue_entry_fits(entry))
		return false;
	proofs = backup_proofs(entry, &ignored);
	return proofs != NULL && !is_marked(entry, proofs);
}
