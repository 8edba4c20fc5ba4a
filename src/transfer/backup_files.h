/* backup_files.h - which files are in an archive */

#ifndef ANKLUME_TRANSFER_BACKUP_FILES_H
#define ANKLUME_TRANSFER_BACKUP_FILES_H

#include <stddef.h>
#include <stdint.h>

struct backup_member;
struct error;
struct watch;

struct backup_files_request {
	const char *backup; /* as in backup_word.h */
	const char *from;
	const char *project;
	const char *snapshot; /* NULL: the instance itself */

	/* As in backup_wish.h; without "*", "?" or "[" it is a path. NULL: all.
	 */
	const char *pattern;

	/* Told of each in the order of the archive; the owner is as seen
	 * inside.
	 */
	void (*tell)(void *data, const struct backup_member *member,
	    uint32_t uid, uint32_t gid);
	void *data;
};

/* ERROR_NOT_FOUND where nothing matches; ERROR_DAMAGED also at the end, when
 * all has been told. */
int backup_files(const struct backup_files_request *request,
    const struct watch *watch, struct error *err);

#endif
