/* status.h - how well each instance is backed up */

#ifndef ANKLUME_TRANSFER_STATUS_H
#define ANKLUME_TRANSFER_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/duration.h"
#include "base/json.h"

struct error;
struct watch;

/* How old may be what; without `set`, any age will do. */
struct status_limit {
	bool set;
	struct duration age;
};

struct status_request {
	const char *from;    /* a directory; NULL: backups/ */
	const char *project; /* only its instances; NULL: all */
	struct status_limit backup;
	struct status_limit verified;
	struct status_limit drilled;
	int timeout_s;
};

/* Backups of one instance that its history shows, the newest ones. */
#define STATUS_HISTORY_MAX 90

struct status_result {
	json_t *instances; /* an array of objects, docs/formats.md; owned */
	size_t count;	   /* of those that are to be backed up */
	size_t wanting;	   /* of these, with problems */
	time_t now;
};

/* One object for each instance of the daemon, by project and name, and for each
 * that has backups here and is gone. Instances that are left out by themselves
 * (create_choice.h) have no problems. Only this server's archives count; a
 * directory that is missing is ERROR_NO_DIRECTORY. */
int backup_status(const struct status_request *request,
    struct status_result *ret_result, struct error *err);

void status_result_clear(struct status_result *result);

#endif
