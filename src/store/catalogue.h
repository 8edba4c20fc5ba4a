/* catalogue.h - what lies in a directory of archives
 *
 * The manifests are the catalogue; there is no database. Archives that have
 * none are listed too, by their names alone. */

#ifndef ANKLUME_STORE_CATALOGUE_H
#define ANKLUME_STORE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

struct error;

/* One archive, or a manifest whose archive has gone. */
struct catalogue_entry {
	char *path;   /* of the archive, below the directory as it was named */
	bool missing; /* only its manifest is there */
	uint64_t size_bytes;
	json_t *manifest; /* NULL: none, or not readable */
	char *problem;	  /* why it is not readable; NULL */
};

struct catalogue {
	size_t count;
	struct catalogue_entry *entries;
};

/* Read a directory and those directly below it ("DIR/<project>/"); hidden ones
 * and links to directories are left out. Entries of one instance or
 * volume stand together, the newest first, a project's volumes after its
 * instances; those without a manifest come last, by path.
 * ERROR_NO_DIRECTORY. */
int catalogue_read(
    const char *directory, struct catalogue *ret_catalogue, struct error *err);

/* The entry of one archive; it must be a file. ERROR_NOT_FOUND. */
int catalogue_load(
    const char *path, struct catalogue_entry *ret_entry, struct error *err);

void catalogue_entry_clear(struct catalogue_entry *entry);

void catalogue_clear(struct catalogue *catalogue);

static inline void
auto_catalogue_cleanup(struct catalogue *catalogue)
{
	catalogue_clear(catalogue);
}

/* An owning local. */
#define auto_catalogue __attribute__((cleanup(auto_catalogue_cleanup)))

/* Whether the archive has the manifest's size: all that can be told without
 * reading it. */
bool catalogue_entry_fits(const struct catalogue_entry *entry);

/* Whether a file of this name is an archive: ".tar", then ".gz" or ".zst" or
 * another compression that Incus writes, then ".gpg". */
bool catalogue_is_archive_name(const char *name);

#endif
