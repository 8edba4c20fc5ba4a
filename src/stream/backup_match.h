/* backup_match.h - whether the two YAML files of a backup say the same
 *
 * The daemon judges a backup by its backup/index.yaml and makes the instance of
 * the backup.yaml in it (CVE-2026-34178; measured on 6.0.4 and 7.0.2: an
 * instance becomes privileged although its index says nothing of it). */

#ifndef ANKLUME_STREAM_BACKUP_MATCH_H
#define ANKLUME_STREAM_BACKUP_MATCH_H

#include "base/json.h"

struct backup_index;
struct error;

/* Whether the index has all that the daemon reads without asking, and names
 * that are some: what is missing there has crashed it (CVE-2026-47753, -48754,
 * -48756). That of a volume, whose only description it is, has nothing of an
 * instance. ERROR_UNSAFE. */
int backup_match_index(const struct backup_index *index, struct error *err);

/* Whether `config`, the backup.yaml of the instance, is what the index says,
 * but for what changes by itself while a backup is made. ERROR_UNSAFE, with the
 * first thing that differs. */
int backup_match_config(
    const struct backup_index *index, const json_t *config, struct error *err);

#endif
