/* sftp_session_state.h - what a session is made of; for sftp_session*.c only */

#ifndef ANKLUME_INCUS_SFTP_SESSION_STATE_H
#define ANKLUME_INCUS_SFTP_SESSION_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "incus/sftp_session.h"

struct http_tunnel;

/* The version that is spoken (section 4 of the draft). */
#define PROTOCOL_VERSION 3

/* Length, type and id. */
#define HEADER_BYTES 9U

/* pkg/sftp announces three. */
#define EXTENSIONS_MAX 32
#define EXTENSION_NAME_BYTES 64

/* What is sent together: as much as both sockets on the way take at once. */
#define OUT_BYTES ((size_t)64 * 1024)

struct sftp_session {
	struct incus_client *client;
	struct http_tunnel *tunnel;
	char *label;  /* "project/name:" */
	bool open;    /* INIT has been sent */
	bool greeted; /* VERSION has come */
	bool broken;  /* the connection, or what came through it */

	uint32_t next_id;
	struct sftp_pending *pending[SFTP_PENDING_MAX]; /* by id */
	struct sftp_pending nobody; /* stands for a request that was given up */

	char extensions[EXTENSIONS_MAX][EXTENSION_NAME_BYTES];
	size_t extension_count;

	/* Whole packets that wait to be sent together. */
	bool corked;
	size_t out_size;
	unsigned char out[OUT_BYTES];

	/* What has come and is not yet a whole packet. */
	size_t in_size;
	unsigned char in[4 + SFTP_PACKET_MAX_BYTES + 64 * 1024];
};

/* After a failure of the tunnel: only an interruption leaves it usable. Always
 * -1. */
int sftp_session_failed(struct sftp_session *session, struct error *err);

/* Receive once; false in *ret_some when nothing was there. */
int sftp_session_receive(
    struct sftp_session *session, bool *ret_some, struct error *err);

/* Hand every whole packet that has come to whoever waits for it. */
int sftp_session_take(struct sftp_session *session, struct error *err);

#endif
