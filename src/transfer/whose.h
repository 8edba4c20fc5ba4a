/* whose.h - what a backup is of, shown as it must be typed */

#ifndef ANKLUME_TRANSFER_WHOSE_H
#define ANKLUME_TRANSFER_WHOSE_H

#include "base/json.h"

struct error;

/* "PROJECT/INSTANCE" or "PROJECT/POOL/VOLUME" of a manifest, or of any object
 * with its "project" and its "instance" or "volume"; "?" where it does not say.
 * Anybody's text, not escaped. Heap. */
char *whose_backup(const json_t *object, struct error *err);

#endif
