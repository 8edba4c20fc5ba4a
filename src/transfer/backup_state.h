/* backup_state.h - what an archive is, as far as can be told without reading
 * it: from its manifest, and from what this host found out before */

#ifndef ANKLUME_TRANSFER_BACKUP_STATE_H
#define ANKLUME_TRANSFER_BACKUP_STATE_H

#include <stdbool.h>

#include "base/json.h"

struct catalogue_entry;
struct error;

/* What has been proven of the archive (store/proof.h); {} without a manifest.
 * Owned by the caller. */
json_t *backup_proofs(const struct catalogue_entry *entry, struct error *err);

/* "present", "damaged", "wrong size", "missing", "no manifest" or "unreadable
 * manifest". Static, untranslated. */
const char *backup_state(
    const struct catalogue_entry *entry, const json_t *proofs);

/* Whether it is there as its manifest says, and was not found damaged. */
bool backup_seems_intact(const struct catalogue_entry *entry);

#endif
