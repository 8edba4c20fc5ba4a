/* describe.h - what is written down about a backup: manifest, record, warnings
 */

#ifndef ANKLUME_TRANSFER_DESCRIBE_H
#define ANKLUME_TRANSFER_DESCRIBE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/json.h"
#include "stream/compression.h"

struct backup_index;
struct backup_subject;
struct digest;
struct error;
struct incus_server;
struct examination;
struct openpgp_recipients;

/* All that a manifest is made of. Borrowed. */
struct description {
	const struct incus_server *server;
	const struct backup_subject *subject;
	const json_t *about;   /* api.Instance, or api.StorageVolume */
	const json_t *volumes; /* attached ones; NULL: none */
	bool running;	       /* the instance, or one that has it attached */
	const struct backup_index *index;
	const struct examination *examination;
	const struct digest *tar;
	const struct digest *archive;
	const struct openpgp_recipients *recipients;
	const char *signer; /* a fingerprint; NULL: not signed */
	enum compression_kind compression;
	const char *archive_name;
	bool instance_only;
	bool keys_told; /* what is doubtful about them, to the user */
	bool frozen;	/* while the daemon read it */
	int64_t frozen_ms;
	time_t started;
};

/* The manifest (docs/formats.md). The caller owns it. */
json_t *describe_backup(
    const struct description *description, struct error *err);

/* The manifest of an archive that has got other keys, made from the one that it
 * had: `archive` is its new digest. The caller owns it. */
json_t *describe_reencrypted(const json_t *manifest,
    const struct openpgp_recipients *recipients, const struct digest *archive,
    struct error *err);

/* Full fingerprints. The caller owns the array. */
json_t *describe_recipients(const struct openpgp_recipients *recipients);

/* The record's entry for a manifest. */
json_t *describe_record(const json_t *manifest, struct error *err);

/* What should give pause: an array of sentences, in the user's language or in
 * English. The caller owns it. */
json_t *describe_warnings(
    const struct description *description, bool translated, struct error *err);

/* The part of it that is about the keys. */
json_t *describe_key_warnings(const struct openpgp_recipients *recipients,
    time_t now, bool translated, struct error *err);

#endif
