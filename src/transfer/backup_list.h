/* backup_list.h - what is known of backups without reading them: manifests, and
 * this host's record */

#ifndef ANKLUME_TRANSFER_BACKUP_LIST_H
#define ANKLUME_TRANSFER_BACKUP_LIST_H

#include <stddef.h>

#include "base/json.h"

struct error;
struct watch;

struct backup_list_request {
	const char *const *words; /* as in backup_word.h, no paths; none: all */
	size_t word_count;
	const char *from;      /* a directory; NULL: backups/ */
	const char *project;   /* NULL: of all */
	const char *recipient; /* the end of a fingerprint; NULL */
};

/* An array of objects (docs/formats.md, "backup list"), owned by the caller;
 * those of one instance or volume together, the newest first. What an archive's
 * origin is is only presumed until it is read. ERROR_NOT_FOUND when there is
 * none. */
int backup_list(const struct backup_list_request *request, json_t **ret_backups,
    struct error *err);

struct backup_show_request {
	const char *backup; /* as in backup_word.h */
	const char *from;
	const char *project;
};

/* The object of one, with "restore_commands" besides: what restores it without
 * anklume. Owned by the caller. */
int backup_show(const struct backup_show_request *request,
    const struct watch *watch, json_t **ret_backup, struct error *err);

#endif
