/* backup_request.h - what both kinds of export ask for, and how a refusal
 * reads; for backup.c and spooled_export.c only */

#ifndef ANKLUME_INCUS_BACKUP_REQUEST_H
#define ANKLUME_INCUS_BACKUP_REQUEST_H

#include "base/json.h"

struct backup_options;
struct backup_subject;
struct error;
struct http_reply;

/* The body of the POST. A direct export must have no name: NULL. NULL when
 * memory is out. */
json_t *backup_request_body(const struct backup_subject *of,
    const struct backup_options *options, const char *compression,
    const char *name);

/* A reply that is no export: a refusal, in the daemon's words; a success that
 * brings no tar is none. Always -1. */
int backup_request_refused(const struct http_reply *reply, struct error *err);

#endif
