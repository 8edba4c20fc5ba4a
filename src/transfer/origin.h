/* origin.h - where an archive comes from: the one word of trust */

#ifndef ANKLUME_TRANSFER_ORIGIN_H
#define ANKLUME_TRANSFER_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

struct digest;
struct error;

enum origin {
	ORIGIN_UNKNOWN,
	ORIGIN_THIS_HOST, /* its digest is in this host's record */
};

/* What is expected of an archive before it is read; proven at its end. */
struct provenance {
	json_t *manifest;   /* beside it; NULL when there is none */
	json_t *candidates; /* the record's entries that it may be, all of
			     * one instance */
};

/* Look at the manifest beside `path` and at the record. A manifest that cannot
 * be this file's (another size) is ERROR_DAMAGED. */
int provenance_load(const char *path, uint64_t size_bytes,
    struct provenance *ret_provenance, struct error *err);

void provenance_clear(struct provenance *provenance);

/* An entry of the record for this archive's instance, NULL when its origin is
 * unknown. Borrowed. Only a presumption until provenance_check(). */
const json_t *provenance_entry(const struct provenance *provenance);

/* At the end of the archive: does its digest fit what was presumed? With
 * `presumed`, something was taken from the record. ERROR_DAMAGED. */
int provenance_check(const struct provenance *provenance,
    const struct digest *digest, bool presumed, struct error *err);

/* By the digest of a whole archive. */
enum origin origin_of(const struct digest *digest);

/* "this host" or "unknown". Static, untranslated. */
const char *origin_name(enum origin origin);

#endif
