/* endpoint.h - which daemon is meant, by the rules of the incus client */

#ifndef ANKLUME_INCUS_ENDPOINT_H
#define ANKLUME_INCUS_ENDPOINT_H

#include <stdbool.h>

struct error;

/* The path of its socket: INCUS_SOCKET, else in INCUS_DIR, else in /run/incus
 * or /var/lib/incus; where only the restricted socket is open to us, that one
 * (incus, client/connection.go). Nothing is connected yet. Heap; NULL with
 * ERROR_USAGE when INCUS_REMOTE means a daemon elsewhere. */
char *incus_endpoint_find(struct error *err);

/* A socket connected to it. "Absent", "not running", "no permission" and
 * "hangs" are ERROR_UNREACHABLE, each with what to do about it. Blocks for
 * `timeout_ms` at most. */
int incus_endpoint_connect(
    const char *socket_path, int timeout_ms, struct error *err);

/* Connect once and hang up, to know of all that at once. */
int incus_endpoint_try(
    const char *socket_path, int timeout_ms, struct error *err);

/* Connect once to know whether whoever listens is among the processes that can
 * be seen from here: then this program is in none of the daemon's instances,
 * which see only their own. */
int incus_endpoint_sees_daemon(
    const char *socket_path, int timeout_ms, bool *ret_sees, struct error *err);

#endif
