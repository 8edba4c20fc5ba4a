/* backup_subject.h - what a backup is of: an instance, or a custom volume */

#ifndef ANKLUME_INCUS_BACKUP_SUBJECT_H
#define ANKLUME_INCUS_BACKUP_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct instance_ref;

/* All borrowed. */
struct backup_subject {
	const char *project; /* of a volume, the one that holds it */
	const char *pool;    /* of a volume; NULL: it is an instance */
	const char *name;
};

struct backup_subject backup_subject_of(const struct instance_ref *instance);

static inline bool
backup_subject_is_volume(const struct backup_subject *subject)
{
	return subject->pool != NULL;
}

/* "NAME", or "POOL/NAME": as a manifest has it (store/manifest.h). Heap. */
char *backup_subject_text(
    const struct backup_subject *subject, struct error *err);

/* Its address in the daemon's API, with up to three segments behind it; NULL
 * ends them. Heap. */
char *backup_subject_path(const struct backup_subject *subject,
    const char *segment, const char *second, const char *third,
    struct error *err);

#endif
