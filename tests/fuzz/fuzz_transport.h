/* fuzz_transport.h - an SFTP server that is a string of bytes
 *
 * Takes the place of src/incus/http_tunnel.c and client.c at the link: no
 * socket, no thread, no wait. The string is
 *
 *     pace, then replies, each: how, type, size (2 bytes), payload
 *
 * Numbers are big-endian, as in SFTP. The first reply answers INIT and has no
 * id; every further one answers the oldest request that has no answer yet, and
 * is framed as it should be: length, type, the request's id, payload. A reply
 * waits for a request to come. Behind the last one the connection is closed.
 *
 * `how` is a sum of the TRANSPORT_HOW_..., 0 for a reply as it should be.
 * `pace` is 0 for bytes that come and go at once, or a sum of:
 *     1 to 15   so many bytes at most are received at once, squared
 *     0x10      every other send takes nothing
 *     0x20      a send takes 5 bytes
 *     0x40      behind the last reply sending fails, too
 * but the first TRANSPORT_SLOW_BYTES only. */

#ifndef ANKLUME_FUZZ_TRANSPORT_H
#define ANKLUME_FUZZ_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "incus/sftp_wire.h"

struct error;
struct sftp_session;

#define TRANSPORT_HOW_YOUNGEST 0x01U /* answers the request that came last */
#define TRANSPORT_HOW_STRAY 0x02U    /* its id is 128 too high */

/* The payload alone goes out, at once, and counts as an answer to nothing. */
#define TRANSPORT_HOW_RAW 0x04U

/* Behind the payload come as many bytes of content as its first 4 say: those
 * that belong to the place that a READ asks about. */
#define TRANSPORT_HOW_FILLED 0x08U

#define TRANSPORT_HOW_AGAIN 0x10U /* answers all requests from here on */

#define TRANSPORT_SLOW_BYTES 4096U

/* What is between the bytes and the end of a run. */
#define TRANSPORT_REPLIES_MAX 4000U
#define TRANSPORT_BYTES_MAX (32U * 1024U * 1024U)

/* Who looks on. Each cursor is over what follows the id. */
struct transport_watcher {
	/* A request was sent, all of it. */
	void (*asked)(uint8_t type, struct sftp_cursor request);

	/* A reply to a request of this type is on its way; `type` is 0 where
	 * the client cannot know it for one. */
	void (*answered)(uint8_t asked, uint8_t type, struct sftp_cursor reply);
};

/* A session with that server, ready. NULL with err set. `bytes` must outlive
 * it. One at a time. */
struct sftp_session *transport_open(const uint8_t *bytes, size_t size,
    const struct transport_watcher *watcher, struct error *err);

/* Whether all that was received were replies to requests; otherwise the client
 * may have seen answers that the watcher has not. */
bool transport_framed(void);

/* Whether all content was of TRANSPORT_HOW_FILLED. */
bool transport_filled(void);

/* Requests without an answer. */
size_t transport_unanswered(void);

/* The content at a place of any file. */
unsigned char transport_content(uint64_t offset);

/* A string of a request as text; heap. It has no NUL. */
char *transport_text(struct sftp_cursor *cursor);

/* An absolute path: no component is empty, "." or "..". */
bool transport_path_is_clean(const char *path);

#endif
