/* http_tunnel.h - a connection that the daemon hands over to another protocol
 */

#ifndef ANKLUME_INCUS_HTTP_TUNNEL_H
#define ANKLUME_INCUS_HTTP_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct error;
struct http_reply;
struct http_tunnel;
struct iovec;

/* Connect to the daemon at `socket_path` and ask for `path` with "Upgrade:
 * <protocol>", but do not wait for the answer, so that two can be opened at
 * once. What is handed over is the socket itself, so it is one of ours and not
 * libcurl's: gathered writes, and reads as large as what has come. */
struct http_tunnel *http_tunnel_new(const char *socket_path, int timeout_ms,
    const char *path, const char *protocol, struct error *err);

/* Wait for "101 Switching Protocols". Any other answer is read into *ret_reply,
 * whose status is then not 101. */
int http_tunnel_accept(struct http_tunnel *tunnel, struct http_reply *ret_reply,
    struct error *err);

void http_tunnel_free(struct http_tunnel *tunnel);

/* Move what can be moved without waiting: the count, 0 for "not now", -1 on
 * failure; a peer that closes is a failure. */
ssize_t http_tunnel_send(struct http_tunnel *tunnel, struct iovec *parts,
    size_t count, struct error *err);
ssize_t http_tunnel_receive(
    struct http_tunnel *tunnel, void *buf, size_t size, struct error *err);

/* Wait until something can be received (or, with `sending`, sent). Silence for
 * the daemon's timeout is ERROR_UNREACHABLE. */
int http_tunnel_wait(
    struct http_tunnel *tunnel, bool sending, struct error *err);

#endif
