/* scratch_project.h - a project for a while, with stubs of what an instance
 * wants to find, and taken away with all that is in it */

#ifndef ANKLUME_INCUS_SCRATCH_PROJECT_H
#define ANKLUME_INCUS_SCRATCH_PROJECT_H

#include <stddef.h>

#include "base/json.h"

struct error;
struct incus_client;

/* Make a project with profiles and volumes of its own. Its profile "default"
 * has a root disk in `pool` and nothing else. */
int scratch_project_make(struct incus_client *client, const char *project,
    const char *description, const char *pool, struct error *err);

/* A profile without devices; `config` (borrowed) is an object of strings. One
 * that is there ("default") keeps its devices. */
int scratch_project_add_profile(struct incus_client *client,
    const char *project, const char *name, const json_t *config,
    struct error *err);

/* An empty custom volume; `content_type` is "filesystem" or "block". One that
 * is there already is fine. */
int scratch_project_add_volume(struct incus_client *client, const char *project,
    const char *pool, const char *name, const char *content_type,
    struct error *err);

/* Take it away: instances, running or not, volumes, profiles, the project. One
 * that is not there is fine. */
int scratch_project_remove(
    struct incus_client *client, const char *project, struct error *err);

/* All projects whose names begin so: an array of api.Project, owned by the
 * caller. */
int scratch_project_list(struct incus_client *client, const char *prefix,
    json_t **ret_projects, struct error *err);

#endif
