/* audit.h - the audit trail: what runs have moved, or were kept from moving
 *
 * An entry goes to syslog first, then to /var/log/anklume/audit.jsonl, or where
 * that is not writable to $XDG_STATE_HOME/anklume/audit.jsonl. */

#ifndef ANKLUME_STORE_AUDIT_H
#define ANKLUME_STORE_AUDIT_H

#include <stddef.h>

#include "base/json.h"

struct error;

/* Directories that may hold a trail, the preferred one first. */
#define AUDIT_PLACE_COUNT ((size_t)2)

/* The directory of a place; it may not be there. Heap; NULL with err set also
 * when the environment does not say where it would be. */
char *audit_directory(size_t place, struct error *err);

/* Give `entry` its "previous" and write it. With -1 the trail's file has none
 * of it; whether syslog has is in the error's hint. Goes on in spite of an
 * interruption. */
int audit_append(json_t *entry, struct error *err);

/* Whether a line could be written now: to a file, or at least to syslog. Makes
 * the file when it is missing. */
int audit_check_writable(struct error *err);

#endif
