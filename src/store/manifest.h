/* manifest.h - the JSON sidecar of an archive: "<archive>.json"
 *
 * Fields and their meaning: docs/formats.md. A manifest that lies beside an
 * archive proves nothing by itself. */

#ifndef ANKLUME_STORE_MANIFEST_H
#define ANKLUME_STORE_MANIFEST_H

#include <stdbool.h>

#include "base/json.h"

struct error;

/* The number in "format". */
#define MANIFEST_FORMAT 1

/* A manifest with 10,000 snapshots stays below this. */
#define MANIFEST_MAX_BYTES (1024 * 1024)

/* Write it beside directory/archive. */
int manifest_save(const char *directory, const char *archive,
    const json_t *manifest, bool force, struct error *err);

/* Remove that of an archive that is about to be replaced; absence is fine. */
int manifest_remove(
    const char *directory, const char *archive, struct error *err);

/* Read the manifest of an archive: 1 and *ret_manifest (owned by the caller), 0
 * when there is none, -1 when it cannot be read (ERROR_DAMAGED). */
int manifest_load(
    const char *archive_path, json_t **ret_manifest, struct error *err);

#endif
