/* project.h - what a project allows, and what an instance needs to be there */

#ifndef ANKLUME_INCUS_PROJECT_H
#define ANKLUME_INCUS_PROJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

struct error;
struct incus_client;

/* The daemon's object (api.Project): 1 and owned by the caller, 0 when there is
 * none, -1 on failure. */
int incus_project_get(struct incus_client *client, const char *project,
    json_t **ret_project, struct error *err);

/* All that the caller may see: arrays of api.Project and api.StoragePool, owned
 * by the caller. */
int incus_project_list(
    struct incus_client *client, json_t **ret_projects, struct error *err);
int incus_pool_list(
    struct incus_client *client, json_t **ret_pools, struct error *err);

/* One of such a list, borrowed; NULL. */
json_t *project_in(const json_t *projects, const char *name);

/* Whether a project's restrictions allow it; `key` as below. */
bool project_allows(const json_t *project_object, const char *key);

/* ERROR_DENIED, with the command that allows it, when the restrictions of
 * `project` forbid it; `key` is "restricted.backups" or "restricted.snapshots".
 */
int project_check_allows(const json_t *project_object, const char *project,
    const char *key, struct error *err);

/* The same for a project that is asked for. */
int incus_project_check_allows(struct incus_client *client, const char *project,
    const char *key, struct error *err);

/* The project that holds the profiles, networks or volumes seen in `project`:
 * itself where it has the feature ("features.profiles" ...), else "default".
 * Borrowed. */
const char *project_holder(
    const json_t *project_object, const char *project, const char *feature);

/* Whether each exists: 1, 0, or -1. `project` is the holder. */
int incus_profile_exists(struct incus_client *client, const char *project,
    const char *name, struct error *err);
int incus_network_exists(struct incus_client *client, const char *project,
    const char *name, struct error *err);
int incus_volume_exists(struct incus_client *client, const char *project,
    const char *pool, const char *name, struct error *err);
int incus_pool_exists(
    struct incus_client *client, const char *name, struct error *err);

/* The names of all projects and of all pools that the caller may see, in an
 * array of strings that the caller owns; percent-encoded, as their addresses
 * have them. */
int incus_project_names(
    struct incus_client *client, json_t **ret_names, struct error *err);
int incus_pool_names(
    struct incus_client *client, json_t **ret_names, struct error *err);

/* What a pool has free, by its own reckoning; 1, 0 where it does not know, -1.
 */
int incus_pool_free(struct incus_client *client, const char *name,
    uint64_t *ret_bytes, struct error *err);

/* The same, and the whole of it. */
int incus_pool_room(struct incus_client *client, const char *name,
    uint64_t *ret_free_bytes, uint64_t *ret_total_bytes, struct error *err);

/* The driver of a pool ("dir", "btrfs" ...). Heap; NULL with err set. */
char *incus_pool_driver(
    struct incus_client *client, const char *name, struct error *err);

#endif
