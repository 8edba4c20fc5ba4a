/* endpoint.h - which daemon is meant, by the rules of the incus client */

#ifndef ANKLUME_INCUS_ENDPOINT_H
#define ANKLUME_INCUS_ENDPOINT_H

struct error;

struct incus_endpoint {
	char *socket_path;
	char *project; /* the default one there; NULL is "default" */
};

/* INCUS_SOCKET, else INCUS_DIR, else /run/incus or /var/lib/incus; where only
 * the restricted socket is open to us, that one and the user's own project
 * (incus, client/connection.go). Nothing is connected yet. */
int incus_endpoint_find(struct incus_endpoint *ret_endpoint, struct error *err);

void incus_endpoint_clear(struct incus_endpoint *endpoint);

/* Connect once and hang up, to tell apart "absent", "not running" and "no
 * permission": ERROR_UNREACHABLE with what to do about it. */
int incus_endpoint_try(
    const struct incus_endpoint *endpoint, struct error *err);

#endif
