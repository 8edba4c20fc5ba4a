/* attached_volumes.h - the custom volumes that an instance has attached, which
 * its own export does not hold */

#ifndef ANKLUME_TRANSFER_ATTACHED_VOLUMES_H
#define ANKLUME_TRANSFER_ATTACHED_VOLUMES_H

#include <stdbool.h>

#include "base/json.h"
#include "incus/backup_subject.h"

struct error;
struct incus_client;

/* Add those of the instance `about` (api.Instance) in `project` (api.Project),
 * by its own devices and those of its profiles, that the array has not yet:
 * objects with "project" (that holds it), "pool" and "name". Only file systems
 * and disks are meant: no images of an installation medium; and what belongs to
 * the instance (7.0, "dependent") is in its export. */
int attached_volumes_add(struct incus_client *client, const json_t *about,
    const json_t *project, json_t *volumes, struct error *err);

/* Whether volumes of that type are backed up: file systems and disks. */
bool attached_volume_is_type(const char *content_type);

/* One of these objects; borrowed from it. */
struct backup_subject attached_volume_subject(const json_t *volume);

/* The object of `volumes` for the same volume; NULL. */
json_t *attached_volume_find(const json_t *volumes, const json_t *volume);

/* Where the archive lies that a manifest's object names: beside that of the
 * instance, or where a run over many puts what is of the volume's project.
 * Heap; NULL, with err clear when it is in neither place. */
char *attached_volume_archive(
    const json_t *volume, const char *instance_archive, struct error *err);

/* What the instance sees and no archive holds: paths of the host, and those of
 * its volumes that have no "sha256" in `volumes`; objects of a manifest's
 * "not_included" (docs/formats.md). The caller owns the array. */
json_t *attached_left_out(const json_t *about, const json_t *volumes);

#endif
