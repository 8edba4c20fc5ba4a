#include "fuzz_transport.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/error.h"
#include "base/text.h"
#include "check.h"
#include "incus/client.h"
#include "incus/http.h"
#include "incus/http_tunnel.h"
#include "incus/instance.h"
#include "incus/sftp_session.h"

#define PACE_RECEIVE 0x0fU
#define PACE_SEND_NOTHING 0x10U
#define PACE_SEND_LITTLE 0x20U
#define PACE_SEND_FAILS 0x40U

/* Length, type and id. */
#define HEADER_BYTES 9U
#define FRAME_MAX_BYTES (HEADER_BYTES + UINT16_MAX + SFTP_PACKET_MAX_BYTES)

/* More than a client may have on their way, for one that cheats. */
#define REQUESTS_MAX 1024U

struct request {
	uint8_t type;
	uint32_t id;
	uint64_t offset; /* of a READ */
};

struct http_tunnel {
	const struct transport_watcher *watcher;
	uint8_t pace;
	const uint8_t *next; /* reply */
	size_t left;
	size_t replies;
	bool framed;
	bool filled;
	bool
	    condemned; /* it has broken the rules, and the client has seen it */

	struct request requests[REQUESTS_MAX]; /* oldest first */
	size_t count;

	/* What is on its way to the client. */
	unsigned char out[FRAME_MAX_BYTES];
	size_t out_size;
	size_t out_given;
	size_t received; /* ever */

	/* What has come of a request. */
	unsigned char in[4 + SFTP_PACKET_MAX_BYTES];
	size_t in_size;
	size_t sent; /* ever */
	bool send_refused;
};

/* The client opens its tunnel by itself: this is where it finds it. */
static struct http_tunnel tunnel_to_come;

const char *
incus_client_socket(const struct incus_client *client)
{
	(void)client;
	return "";
}

int
incus_client_timeout_ms(const struct incus_client *client)
{
	(void)client;
	return 0;
}

char *
incus_path(struct error *err, const char *project, const char *segment, ...)
{
	(void)project;
	return text_copy(segment, strlen(segment), err);
}

json_t *
incus_open_reply(const struct http_reply *reply, struct error *err)
{
	(void)reply;
	error_set(err, ERROR_FAILED, "no reply");
	return NULL;
}

void
http_reply_clear(struct http_reply *reply)
{
	*reply = (struct http_reply){0};
}

struct http_tunnel *
http_tunnel_new(const char *socket_path, int timeout_ms, const char *path,
    const char *protocol, struct error *err)
{
	(void)socket_path;
	(void)timeout_ms;
	(void)path;
	(void)protocol;
	(void)err;
	return &tunnel_to_come;
}

int
http_tunnel_accept(
    struct http_tunnel *tunnel, struct http_reply *ret_reply, struct error *err)
{
	(void)tunnel;
	(void)err;
	ret_reply->status = 101;
	return 0;
}

void
http_tunnel_free(struct http_tunnel *tunnel)
{
	(void)tunnel;
}

static void
keep_request(struct http_tunnel *tunnel)
{
	struct sftp_cursor body = {
	    tunnel->in + HEADER_BYTES, tunnel->in_size - HEADER_BYTES, false};
	struct sftp_cursor place = body;
	struct request request = {
	    .type = tunnel->in[4], .id = sftp_load_u32(tunnel->in + 5)};
	size_t ignored;

	CHECK(!tunnel->condemned);
	if (request.type == SFTP_READ) {
		(void)sftp_get_bytes(&place, &ignored);
		request.offset = sftp_get_u64(&place);
	}
	if (request.type != SFTP_INIT)
		tunnel->watcher->asked(request.type, body);
	for (size_t i = 0; i < tunnel->count; i++)
		CHECK(tunnel->requests[i].id != request.id ||
		      tunnel->requests[i].type == SFTP_INIT);
	CHECK(tunnel->count < REQUESTS_MAX);
	CHECK(tunnel->count < SFTP_PENDING_MAX || !tunnel->framed);
	tunnel->requests[tunnel->count++] = request;
}

/* Bytes of one request at most; how many is returned. */
static size_t
take_some(struct http_tunnel *tunnel, const unsigned char *bytes, size_t size)
{
	size_t whole = HEADER_BYTES;

	if (tunnel->in_size >= HEADER_BYTES)
		whole = 4 + (size_t)sftp_load_u32(tunnel->in);
	if (size > whole - tunnel->in_size)
		size = whole - tunnel->in_size;
	if (size > 0)
		memcpy(tunnel->in + tunnel->in_size, bytes, size);
	tunnel->in_size += size;
	if (tunnel->in_size < HEADER_BYTES)
		return size;
	whole = 4 + (size_t)sftp_load_u32(tunnel->in);
	CHECK(whole >= HEADER_BYTES && whole <= sizeof(tunnel->in));
	if (tunnel->in_size == whole) {
		keep_request(tunnel);
		tunnel->in_size = 0;
	}
	return size;
}

/* How much a send takes. */
static size_t
room_to_send(struct http_tunnel *tunnel)
{
	if (tunnel->sent >= TRANSPORT_SLOW_BYTES)
		return SIZE_MAX;
	if ((tunnel->pace & PACE_SEND_NOTHING) != 0) {
		tunnel->send_refused = !tunnel->send_refused;
		if (tunnel->send_refused)
			return 0;
	}
	return (tunnel->pace & PACE_SEND_LITTLE) != 0 ? 5 : SIZE_MAX;
}

ssize_t
http_tunnel_send(struct http_tunnel *tunnel, struct iovec *parts, size_t count,
    struct error *err)
{
	size_t room = room_to_send(tunnel);
	size_t taken = 0;

	if ((tunnel->pace & PACE_SEND_FAILS) != 0 && tunnel->left == 0)
		return error_set(err, ERROR_FAILED, "nobody listens");
	for (size_t i = 0; i < count; i++) {
		const unsigned char *bytes = parts[i].iov_base;

		size_t size = parts[i].iov_len;

		if (size > room - taken)
			size = room - taken;
		taken += size;
		while (size > 0) {
			size_t some = take_some(tunnel, bytes, size);

			bytes += some;
			size -= some;
		}
	}
	tunnel->sent += taken;
	return (ssize_t)taken;
}

unsigned char
transport_content(uint64_t offset)
{
	return (unsigned char)(offset * 31 + (offset >> 8) * 7 + 1);
}

/* Put a string's content behind the payload, as long as that says. */
static void
fill(struct http_tunnel *tunnel, const uint8_t *payload, size_t size,
    uint64_t offset)
{
	uint32_t count = size >= 4 ? sftp_load_u32(payload) : 0;

	if (count > SFTP_PACKET_MAX_BYTES)
		count = SFTP_PACKET_MAX_BYTES;
	for (uint32_t i = 0; i < count; i++)
		tunnel->out[tunnel->out_size++] = transport_content(offset + i);
}

static struct request
take_request(struct http_tunnel *tunnel, bool youngest)
{
	size_t i = youngest ? tunnel->count - 1 : 0;
	struct request request = tunnel->requests[i];

	tunnel->count--;
	memmove(&tunnel->requests[i], &tunnel->requests[i + 1],
	    (tunnel->count - i) * sizeof(request));
	return request;
}

/* Frame the reply to a request, and say so. */
static void
frame(struct http_tunnel *tunnel, const uint8_t *payload, size_t size)
{
	unsigned how = tunnel->next[0];
	uint8_t type = tunnel->next[1];
	struct request request =
	    take_request(tunnel, (how & TRANSPORT_HOW_YOUNGEST) != 0);
	size_t head = request.type != SFTP_INIT ? HEADER_BYTES : 5;

	tunnel->out[4] = type;
	if ((how & TRANSPORT_HOW_STRAY) != 0)
		request.id += SFTP_PENDING_MAX;
	sftp_store_u32(tunnel->out + 5, request.id);
	if (size > 0)
		memcpy(tunnel->out + head, payload, size);
	tunnel->out_size = head + size;
	if ((how & TRANSPORT_HOW_FILLED) != 0)
		fill(tunnel, payload, size, request.offset);
	if ((how & TRANSPORT_HOW_FILLED) == 0 || size != 4)
		tunnel->filled &= type != SFTP_DATA;
	sftp_store_u32(tunnel->out, (uint32_t)(tunnel->out_size - 4));
	if (request.type != SFTP_INIT)
		tunnel->watcher->answered(request.type,
		    (how & TRANSPORT_HOW_STRAY) != 0 ? 0 : type,
		    (struct sftp_cursor){
			tunnel->out + head, tunnel->out_size - head, false});
}

/* The next reply goes on its way, if there is one and something to answer. */
static bool
reply(struct http_tunnel *tunnel)
{
	const uint8_t *payload = tunnel->next + 4;
	unsigned how = tunnel->next[0];
	bool raw = (how & TRANSPORT_HOW_RAW) != 0;
	size_t size = (size_t)tunnel->next[2] << 8 | tunnel->next[3];

	if (!raw && tunnel->count == 0)
		return false;
	if (size > tunnel->left - 4)
		size = tunnel->left - 4;
	tunnel->out_given = tunnel->out_size = 0;
	if (raw) {
		memcpy(tunnel->out, payload, size);
		tunnel->out_size = size;
		tunnel->framed = tunnel->filled = false;
	} else {
		frame(tunnel, payload, size);
	}
	tunnel->replies++;
	if (raw || (how & TRANSPORT_HOW_AGAIN) == 0) {
		tunnel->next += 4 + size;
		tunnel->left -= 4 + size;
	}
	return true;
}

/* How much may be received at once. */
static size_t
room_to_receive(const struct http_tunnel *tunnel)
{
	size_t pace = tunnel->pace & PACE_RECEIVE;

	if (pace == 0 || tunnel->received >= TRANSPORT_SLOW_BYTES)
		return SIZE_MAX;
	return pace * pace;
}

ssize_t
http_tunnel_receive(
    struct http_tunnel *tunnel, void *buf, size_t size, struct error *err)
{
	size_t count = tunnel->out_size - tunnel->out_given;
	size_t room = room_to_receive(tunnel);

	/* A server that does not end ends here. */
	if (tunnel->replies >= TRANSPORT_REPLIES_MAX ||
	    tunnel->received >= TRANSPORT_BYTES_MAX)
		tunnel->left = 0;
	if (count == 0 && tunnel->left < 4) {
		tunnel->left = 0;
		return error_set(err, ERROR_FAILED, "the connection is closed");
	}
	if (count == 0 && !reply(tunnel))
		return 0;
	count = tunnel->out_size - tunnel->out_given;
	if (count > size)
		count = size;
	if (count > room)
		count = room;
	memcpy(buf, tunnel->out + tunnel->out_given, count);
	tunnel->out_given += count;
	tunnel->received += count;
	if (tunnel->framed && tunnel->out_given >= 4 &&
	    sftp_load_u32(tunnel->out) > SFTP_PACKET_MAX_BYTES)
		tunnel->condemned = true;
	return (ssize_t)count;
}

int
http_tunnel_wait(struct http_tunnel *tunnel, bool sending, struct error *err)
{
	/* What sent nothing sends something the next time. */
	if (sending || tunnel->out_given < tunnel->out_size ||
	    tunnel->left < 4 || tunnel->count > 0 ||
	    (tunnel->next[0] & TRANSPORT_HOW_RAW) != 0)
		return 0;
	/* Every request has been answered, and still one is awaited: possible
	 * only after a lie. */
	return error_set(err, ERROR_UNREACHABLE, "silence");
}

struct sftp_session *
transport_open(const uint8_t *bytes, size_t size,
    const struct transport_watcher *watcher, struct error *err)
{
	static char project[] = "p";
	static char name[] = "i";
	struct instance_ref instance = {.project = project, .name = name};
	struct http_tunnel *tunnel = &tunnel_to_come;
	struct sftp_session *session;

	tunnel->watcher = watcher;
	tunnel->pace = size > 0 ? bytes[0] : 0;
	tunnel->next = size > 0 ? bytes + 1 : bytes;
	tunnel->left = size > 0 ? size - 1 : 0;
	tunnel->replies = tunnel->count = 0;
	tunnel->framed = tunnel->filled = true;
	tunnel->out_size = tunnel->out_given = tunnel->received = 0;
	tunnel->in_size = tunnel->sent = 0;
	tunnel->send_refused = tunnel->condemned = false;
	session = sftp_session_new(NULL, &instance, err);
	if (session == NULL || sftp_session_ready(session, err) == 0)
		return session;
	sftp_session_free(session);
	return NULL;
}

bool
transport_framed(void)
{
	return tunnel_to_come.framed;
}

bool
transport_filled(void)
{
	return tunnel_to_come.filled;
}

size_t
transport_unanswered(void)
{
	return tunnel_to_come.count;
}

char *
transport_text(struct sftp_cursor *cursor)
{
	struct error err = {0};
	size_t size;
	const unsigned char *bytes = sftp_get_bytes(cursor, &size);
	char *text;

	CHECK(!cursor->bad);
	CHECK(memchr(bytes, '\0', size) == NULL);
	text = text_copy((const char *)bytes, size, &err);
	CHECK(text != NULL);
	return text;
}

bool
transport_path_is_clean(const char *path)
{
	if (strcmp(path, "/") == 0)
		return true;
	while (*path == '/') {
		size_t length = strcspn(++path, "/");

		if (length == 0 ||
		    (length <= 2 && path[0] == '.' && path[length - 1] == '.'))
			return false;
		path += length;
	}
	return *path == '\0';
}
