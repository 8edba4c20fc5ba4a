/* record.h - this host's own list of the archives that it made
 *
 * One small JSON file for each digest, in /var/lib/anklume/record as root, else
 * in $XDG_STATE_HOME/anklume/record. An archive whose digest is listed has the
 * origin "this host". */

#ifndef ANKLUME_STORE_RECORD_H
#define ANKLUME_STORE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

struct error;

/* List an archive. `entry` must have "sha256" and "size_bytes". */
int record_add(const json_t *entry, struct error *err);

/* The entry of a digest: 1 and *ret_entry (owned by the caller), 0, or -1. */
int record_find(const char *sha256, json_t **ret_entry, struct error *err);

/* The entries of that size, as an array owned by the caller. */
int record_find_size(
    uint64_t size_bytes, json_t **ret_entries, struct error *err);

/* Whether a text has the form of a digest, so that it may be a file's name;
 * NULL has not. */
bool record_is_digest(const char *text);

#endif
