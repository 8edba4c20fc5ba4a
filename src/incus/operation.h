/* operation.h - the daemon's background work, waited for */

#ifndef ANKLUME_INCUS_OPERATION_H
#define ANKLUME_INCUS_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

struct error;
struct http_reply;
struct incus_client;

struct operation {
	char *id;	  /* a UUID */
	char *progress;	  /* as it was seen last */
	int64_t moved_ms; /* when that changed */
	bool forgotten;	  /* the daemon does not know it any more */
};

void operation_clear(struct operation *operation);

/* Start one. `body` may be NULL. */
int operation_start(struct incus_client *client, const char *method,
    const char *path, const json_t *body, struct operation *ret_operation,
    struct error *err);

/* The same from the reply to a request that started one. */
int operation_from_reply(const struct http_reply *reply,
    struct operation *ret_operation, struct error *err);

/* How it stands: 1 when it has ended well, 0 while it runs, -1 when it has
 * failed. It counts as alive while the daemon says that it runs; with
 * `wants_progress`, only while its progress moves. */
int operation_look(struct incus_client *client, struct operation *operation,
    bool wants_progress, struct error *err);

/* Say that the daemon has forgotten one: -1. */
int operation_lost(struct error *err);

/* Wait for its end. Interruptible, unless the shield is up; it goes on in the
 * daemon then. */
int operation_wait(struct incus_client *client, struct operation *operation,
    bool wants_progress, struct error *err);

/* Start and wait. */
int operation_run(struct incus_client *client, const char *method,
    const char *path, const json_t *body, struct error *err);

/* The same with a body that was made for it, and is consumed; NULL is
 * error_set_memory(). A NULL `path` has set err already. */
int operation_run_with(struct incus_client *client, const char *method,
    const char *path, json_t *body, struct error *err);

static inline void
auto_operation_cleanup(struct operation *operation)
{
	operation_clear(operation);
}

/* An owning local. */
#define auto_operation __attribute__((cleanup(auto_operation_cleanup)))

#endif
