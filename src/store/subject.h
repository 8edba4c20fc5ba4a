/* subject.h - what a backup is of, as one text: the name of an instance, or
 * "POOL/VOLUME" of a custom volume, which no instance can have for a name */

#ifndef ANKLUME_STORE_SUBJECT_H
#define ANKLUME_STORE_SUBJECT_H

#include <stdbool.h>

struct error;

/* Whether a text may be a volume's subject: two names, neither of which could
 * lead elsewhere in a path. */
bool subject_fits_volume(const char *text);

bool subject_is_volume(const char *subject);

/* The field that holds it, in manifests and in what is told as JSON: "instance"
 * or "volume". Static. */
const char *subject_key(const char *subject);

/* Instances before volumes, then by name; as strcmp(3). */
int subject_compare(const char *a, const char *b);

/* Of a volume's: the pool, heap; the volume, borrowed. */
char *subject_pool(const char *subject, struct error *err);
const char *subject_volume(const char *subject);

#endif
