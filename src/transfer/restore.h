/* restore.h - an archive becomes an instance, or a custom volume */

#ifndef ANKLUME_TRANSFER_RESTORE_H
#define ANKLUME_TRANSFER_RESTORE_H

#include <stdbool.h>
#include <stddef.h>

#include "transfer/origin.h"

struct error;
struct watch;

struct restore_request {
	const char *file;    /* a path, or "-"; NULL: `backup` says which */
	const char *backup;  /* as in backup_word.h */
	const char *from;    /* where it is looked for; NULL: backups/ */
	const char *name;    /* NULL: as it was */
	const char *project; /* NULL: as it was; unknown origin: required */
	const char *storage; /* NULL: the pool that the archive names */
	const char *sha256;  /* the archive must have it; NULL */
	struct signature_demand signature;
	const char *const *allowed; /* as in host_keys.h */
	size_t allowed_count;
	bool allow_unsafe;
	int timeout_s;
	bool force;
	bool start;
	bool keep_identity;
	bool create_missing; /* project and profiles, from the archive */
	bool dry_run;
	bool among_many; /* a class may share a name: that is no news then */
};

struct restore_result {
	char *project;
	char *pool; /* of a volume; NULL: it is an instance */
	char *name;
	char origin[ORIGIN_TEXT_BYTES]; /* "" with a dry run */
	bool started;
};

void restore_result_clear(struct restore_result *result);

/* Decrypt, decompress, check and upload in one pass; the daemon gets the last
 * chunk only when every check has passed. What can be refused is refused before
 * the first byte. On failure no instance is left behind. The volumes that the
 * manifest of a trusted archive names, and that are missing, are restored
 * before the instance, from archives that are trusted themselves; they stay. */
int restore_backup(const struct restore_request *request,
    const struct watch *watch, struct restore_result *ret_result,
    struct error *err);

#endif
