/* create_missing.h - a project and profiles that a restore wants and does not
 * find, made from what the archive says of them */

#ifndef ANKLUME_TRANSFER_CREATE_MISSING_H
#define ANKLUME_TRANSFER_CREATE_MISSING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

struct backup_index;
struct error;
struct incus_client;
struct watch;

/* What is to be made, and what has been. Zero-initialised. */
struct create_missing {
	char *project;	  /* NULL: it is there */
	json_t *profiles; /* array of {"project", "name", "definition"} */
	bool own_volumes; /* of the project: not those of "default" */
	bool made_project;
	size_t made_profiles; /* of these, from the first */
};

/* Whether the archive says what is in a profile. */
bool create_missing_describes(
    const struct backup_index *index, const char *name);

/* Note one; a profile is one that the archive describes. */
int create_missing_project(
    struct create_missing *missing, const char *project, struct error *err);
int create_missing_profile(struct create_missing *missing, const char *holder,
    const struct backup_index *index, const char *name, struct error *err);

/* Say what would be made. */
void create_missing_note(
    const struct create_missing *missing, const struct watch *watch);

/* Make them, and say so. What a failure leaves, create_missing_undo() takes.
 * The project is wanted before an upload begins, and has the profiles, images
 * and, unless it is to have its own, volumes of "default", as one that a
 * preflight suggests; a profile, which
 * may be a stranger's word, when the archive has proven whole. */
int create_missing_make_project(struct create_missing *missing,
    struct incus_client *client, const struct watch *watch, struct error *err);
int create_missing_make_profiles(struct create_missing *missing,
    struct incus_client *client, const struct watch *watch, struct error *err);

/* Take away what was made and nobody uses, the last first; a failure is a hint
 * of *err, which is set already. */
void create_missing_undo(struct create_missing *missing,
    struct incus_client *client, struct error *err);

void create_missing_clear(struct create_missing *missing);

#endif
