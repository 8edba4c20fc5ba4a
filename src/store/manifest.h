/* manifest.h - the JSON sidecar of an archive: "<archive>.json", and its
 * detached signature: "<archive>.json.sig"
 *
 * Fields and their meaning: docs/formats.md. A manifest that lies beside an
 * archive proves nothing by itself. */

#ifndef ANKLUME_STORE_MANIFEST_H
#define ANKLUME_STORE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

struct error;

/* The number in "format". */
#define MANIFEST_FORMAT 1

/* A manifest with 10,000 snapshots stays below this. */
#define MANIFEST_MAX_BYTES (1024 * 1024)

/* One armored signature has less than 2 KiB; gpg.conf may add notations. */
#define MANIFEST_SIGNATURE_MAX_BYTES (64 * 1024)

/* Both files as they are. `signature` is NULL when there is none. */
struct manifest_files {
	char *text;
	size_t size;
	char *signature;
	size_t signature_size;
};

void manifest_files_clear(struct manifest_files *files);

static inline void
auto_manifest_files_cleanup(struct manifest_files *files)
{
	manifest_files_clear(files);
}

/* An owning local. */
#define auto_manifest_files                                                    \
	__attribute__((cleanup(auto_manifest_files_cleanup)))

/* The text of the file, to be signed and saved. Heap. */
char *manifest_print(const json_t *manifest, struct error *err);

/* What a backup is of (subject.h), by its manifest, or by another object with
 * its "instance" or "volume". NULL where it does not say; borrowed. */
const char *manifest_subject(const json_t *manifest);

/* Write both beside directory/archive, the signature first: a manifest that is
 * to be signed never stands there without. `signature` may be NULL. */
int manifest_save(const char *directory, const char *archive,
    const struct manifest_files *files, bool force, struct error *err);

/* Remove those of an archive that is about to be replaced; absence is fine. */
int manifest_remove(
    const char *directory, const char *archive, struct error *err);

/* Read the manifest of an archive: 1 and *ret_manifest (owned by the caller), 0
 * when there is none, -1 when it cannot be read (ERROR_DAMAGED). */
int manifest_load(
    const char *archive_path, json_t **ret_manifest, struct error *err);

/* The same for the bytes, unparsed. */
int manifest_read(const char *archive_path, struct manifest_files *ret_files,
    struct error *err);

/* Parse what manifest_read() gave. ERROR_DAMAGED. */
json_t *manifest_parse(const char *archive_path,
    const struct manifest_files *files, struct error *err);

#endif
