/* client.h - one daemon: its API's envelope, its errors, its operations
 *
 * A client is used by one transfer at a time and never by two threads. */

#ifndef ANKLUME_INCUS_CLIENT_H
#define ANKLUME_INCUS_CLIENT_H

#include <stdbool.h>

#include "base/json.h"

struct error;
struct http;
struct incus_client;

struct incus_server {
	const char *name;    /* server_name */
	const char *version; /* "6.0.4" */
	bool clustered;
	const char *fingerprint; /* of its certificate, SHA-256 in hex */
};

/* Find the daemon (endpoint.h) and make sure that it can be reached, for which
 * it has `timeout_s`, as for every sign of life later on. ERROR_UNREACHABLE. */
struct incus_client *incus_client_open(int timeout_s, struct error *err);
void incus_client_free(struct incus_client *client);

/* Take over what another client of the same daemon has been told of it, and do
 * not ask again. */
void incus_client_inherit(
    struct incus_client *client, const struct incus_client *from);

/* What the daemon says of itself; asked once, when first needed. Borrowed. */
const struct incus_server *incus_client_server(
    struct incus_client *client, struct error *err);

/* Whether it runs instances of an architecture ("x86_64"), or this type of them
 * ("container", "virtual-machine"): 1, also where it does not say, 0, or -1
 * when it cannot be asked. */
int incus_client_runs_architecture(
    struct incus_client *client, const char *architecture, struct error *err);
int incus_client_runs_type(
    struct incus_client *client, const char *type, struct error *err);

/* A key of the server's own configuration, borrowed; NULL when it is not set,
 * or with err set. */
const char *incus_client_config(
    struct incus_client *client, const char *key, struct error *err);

/* Whether it has an API extension; -1 when it cannot be asked. */
int incus_client_supports(
    struct incus_client *client, const char *extension, struct error *err);

/* A key of the daemon's own configuration; *ret_value is borrowed, NULL where
 * it is not set, or not shown to the caller. */
int incus_client_setting(struct incus_client *client, const char *key,
    const char **ret_value, struct error *err);

/* For the streams of this layer. Borrowed. */
struct http *incus_client_http(struct incus_client *client);

int incus_client_timeout_ms(const struct incus_client *client);

/* Where it listens. Borrowed. */
const char *incus_client_socket(const struct incus_client *client);

/* "/1.0/a/b?project=P" from percent-encoded segments; the list ends with NULL.
 * `project` may be NULL. Heap. The segments "", "." and "..", which would lead
 * to another object, are ERROR_USAGE. */
char *incus_path(struct error *err, const char *project, const char *segment,
    ...) __attribute__((sentinel));

/* GET; *ret_metadata is owned by the caller. */
int incus_get(struct incus_client *client, const char *path,
    json_t **ret_metadata, struct error *err);

/* Send what the daemon does at once. `body` was made for it and is consumed;
 * NULL is error_set_memory(). A NULL `path` has set err already. */
int incus_send(struct incus_client *client, const char *method,
    const char *path, json_t *body, struct error *err);

/* DELETE of what is gone at once. */
int incus_delete(
    struct incus_client *client, const char *path, struct error *err);

/* 1 when a GET of `path` finds something, 0 when not, -1 on other failures. */
int incus_exists(
    struct incus_client *client, const char *path, struct error *err);

/* The envelope of a reply, owned by the caller; NULL with err set when the
 * reply is not a success, or not an envelope (ERROR_FAILED). */
struct http_reply;
json_t *incus_open_reply(const struct http_reply *reply, struct error *err);

/* Set an error from the daemon's words: their code by what they say ("no space
 * left" is ERROR_NO_SPACE ...), or by the HTTP status. */
int incus_set_error(struct error *err, int status, const char *text);

static inline void
auto_client_cleanup(struct incus_client **client)
{
	incus_client_free(*client);
}

/* An owning local. */
#define auto_client __attribute__((cleanup(auto_client_cleanup)))

#endif
