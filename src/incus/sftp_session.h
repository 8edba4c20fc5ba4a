/* sftp_session.h - one SFTP connection into an instance, with many requests on
 * their way at once
 *
 * The server is the daemon's forkfile, or in a virtual machine the guest's own
 * agent: the other side is hostile. A wrong id, an answer to nothing, a length
 * beyond the limits end the session. */

#ifndef ANKLUME_INCUS_SFTP_SESSION_H
#define ANKLUME_INCUS_SFTP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "incus/sftp_wire.h"

struct error;
struct incus_client;
struct instance_ref;
struct sftp_session;

/* At most this many requests without an answer. */
#define SFTP_PENDING_MAX 128

/* A request on its way, and then its answer. Zero-initialised and owned by
 * whoever sends it; must stay in place until answered or the session is
 * closed. Reusable: the payload's buffer is kept. */
struct sftp_pending {
	const struct sftp_session *session; /* once sent */
	const char *about; /* what it asks about, for messages; borrowed */
	uint32_t id;
	bool waiting;
	bool answered;
	uint8_t type;		/* enum sftp_type, once answered */
	unsigned char *payload; /* what follows the id */
	size_t payload_size;
	size_t payload_room;
};

void sftp_pending_clear(struct sftp_pending *pending);

/* Ask the daemon for a session into an instance, without waiting, so that two
 * can be opened at once. */
struct sftp_session *sftp_session_new(struct incus_client *client,
    const struct instance_ref *instance, struct error *err);

/* Wait until the daemon has opened it, and say INIT; nothing when that is done.
 * The server's VERSION is not waited for: it comes before its first answer, so
 * the first request of all must be one that changes nothing. */
int sftp_session_ready(struct sftp_session *session, struct error *err);

/* Close it; requests that are pending are forgotten. NULL is fine. */
void sftp_session_free(struct sftp_session *session);

/* Whether it has failed for good: a request would only wait in vain. */
bool sftp_session_broken(const struct sftp_session *session);

/* What the server can do beyond version 3; known once it has answered. */
bool sftp_session_has(
    const struct sftp_session *session, const char *extension);

/* "project/name:", for messages. */
const char *sftp_session_name(const struct sftp_session *session);

/* Send a request; `tail` (may be NULL) follows the packet on the wire, as the
 * data of a WRITE. Blocks only when the server does not take it. */
int sftp_send(struct sftp_session *session, struct sftp_packet *packet,
    const void *tail, size_t tail_size, struct sftp_pending *pending,
    struct error *err);

/* Hold requests back from here on, to send many small ones together: until
 * sftp_uncork(), or until one is waited for. */
void sftp_cork(struct sftp_session *session);
int sftp_uncork(struct sftp_session *session, struct error *err);

/* Wait until `pending` is answered. */
int sftp_await(struct sftp_session *session, struct sftp_pending *pending,
    struct error *err);

/* Give up a request: its answer, should it still come, is dropped, and the
 * buffer is freed. */
void sftp_forget(struct sftp_session *session, struct sftp_pending *pending);

/* Take what answers have come, without waiting. */
int sftp_poll(struct sftp_session *session, struct error *err);

/* Send and wait. */
int sftp_call(struct sftp_session *session, struct sftp_packet *packet,
    struct sftp_pending *pending, struct error *err);

static inline void
auto_pending_cleanup(struct sftp_pending *pending)
{
	sftp_pending_clear(pending);
}

/* An owning local. */
#define auto_pending __attribute__((cleanup(auto_pending_cleanup)))

#endif
