/* extract.h - files out of an archive, straight to where they are wanted */

#ifndef ANKLUME_TRANSFER_EXTRACT_H
#define ANKLUME_TRANSFER_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>

struct copy_result;
struct error;
struct watch;

struct extract_request {
	const char *backup; /* as in backup_word.h */
	const char *from;
	const char *project;	  /* of the backup, and of the destination */
	const char *snapshot;	  /* NULL: the instance itself */
	const char *const *paths; /* as seen in the instance or volume */
	size_t path_count;
	const char *destination; /* as of a copy */
	int timeout_s;
	bool create_directories;
	bool no_clobber;
	bool keep_setuid;
	bool verify; /* prove the archive first */
	bool dry_run;
};

/* Each path with all that is below it, owner and mode as of a copy from the
 * instance. The archive is read as far as the last path, and once more where a
 * link has led one back; nothing of it touches a disk but what was asked for.
 * One that stops early is not proven, which is noted. ERROR_NOT_FOUND, or with
 * several paths ERROR_PARTIAL; ERROR_DENIED by the policy, which judges the
 * instance that the archive is of when that is proven, and else our own side.
 */
int extract_files(const struct extract_request *request,
    const struct watch *watch, struct copy_result *ret_result,
    struct error *err);

#endif
