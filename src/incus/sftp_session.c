#include "incus/sftp_session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/http.h"
#include "incus/http_tunnel.h"
#include "incus/instance.h"
#include "incus/sftp_session_state.h"

void
sftp_pending_clear(struct sftp_pending *pending)
{
	free(pending->payload);
	*pending = (struct sftp_pending){0};
}

struct sftp_session *
sftp_session_new(struct incus_client *client,
    const struct instance_ref *instance, struct error *err)
{
	auto_free char *path = incus_path(
	    err, instance->project, "instances", instance->name, "sftp", NULL);
	struct sftp_session *session;

	if (path == NULL)
		return NULL;
	session = calloc(1, sizeof(*session));
	if (session == NULL) {
		error_set_memory(err);
		return NULL;
	}
	session->client = client;
	session->label =
	    text_format(err, "%s/%s:", instance->project, instance->name);
	if (session->label != NULL)
		session->tunnel = http_tunnel_new(incus_client_socket(client),
		    incus_client_timeout_ms(client), path, "sftp", err);
	if (session->tunnel == NULL) {
		sftp_session_free(session);
		return NULL;
	}
	return session;
}

void
sftp_session_free(struct sftp_session *session)
{
	if (session == NULL)
		return;
	http_tunnel_free(session->tunnel);
	free(session->label);
	free(session);
}

const char *
sftp_session_name(const struct sftp_session *session)
{
	return session->label;
}

bool
sftp_session_has(const struct sftp_session *session, const char *extension)
{
	for (size_t i = 0; i < session->extension_count; i++) {
		if (strcmp(session->extensions[i], extension) == 0)
			return true;
	}
	return false;
}

bool
sftp_session_broken(const struct sftp_session *session)
{
	return session->broken;
}

int
sftp_session_failed(struct sftp_session *session, struct error *err)
{
	if (err->code != ERROR_INTERRUPTED && err->code != ERROR_TERMINATED)
		session->broken = true;
	return error_prefix(err, "'%s'", session->label);
}

/* The server gives its answers in the order of the requests: of several that
 * wait, the oldest is the one that hangs. */
static int
silent(struct sftp_session *session, const struct sftp_pending *pending,
    struct error *err)
{
	if (err->code != ERROR_UNREACHABLE || pending->about == NULL)
		return sftp_session_failed(session, err);
	session->broken = true;
	(void)error_prefix(err, "'%s%s'", session->label, pending->about);
	return error_hint(
	    err, _("something inside the instance may hang; until it is ended "
		   "there, Incus may be unable to snapshot or to stop the "
		   "instance"));
}

/* What is left to send, of two parts. */
static size_t
left_of(const struct iovec parts[2])
{
	return parts[0].iov_len + parts[1].iov_len;
}

static void
take_off(struct iovec parts[2], size_t sent)
{
	/* A part that is not there has no address to count from. */
	for (size_t i = 0; i < 2 && parts[i].iov_base != NULL; i++) {
		size_t count =
		    sent < parts[i].iov_len ? sent : parts[i].iov_len;

		parts[i].iov_base = (char *)parts[i].iov_base + count;
		parts[i].iov_len -= count;
		sent -= count;
	}
}

/* Send everything; answers that come meanwhile are taken, since a server that
 * cannot get rid of them reads nothing. */
static int
push(struct sftp_session *session, struct iovec parts[2], struct error *err)
{
	while (left_of(parts) > 0) {
		ssize_t sent = http_tunnel_send(session->tunnel, parts, 2, err);

		if (sent < 0)
			return sftp_session_failed(session, err);
		take_off(parts, (size_t)sent);
		if (left_of(parts) == 0 || sent > 0)
			continue;
		if (http_tunnel_wait(session->tunnel, true, err) < 0)
			return sftp_session_failed(session, err);
		if (sftp_poll(session, err) < 0)
			return -1;
	}
	return 0;
}

/* Whole packets. An interruption waits for their end: behind half a packet
 * nothing could be tidied up any more. */
static int
push_whole(struct sftp_session *session, const void *head, size_t head_size,
    const void *tail, size_t tail_size, struct error *err)
{
	/* sendmsg(2) declares what it reads without const. */
	struct iovec parts[2] = {
	    {.iov_base = (void *)(uintptr_t)head, .iov_len = head_size},
	    {.iov_base = (void *)(uintptr_t)tail, .iov_len = tail_size},
	};
	int result;

	interrupt_shield_up();
	result = push(session, parts, err);
	interrupt_shield_down();
	return result;
}

static int
flush(struct sftp_session *session, struct error *err)
{
	size_t size = session->out_size;

	session->out_size = 0;
	return size > 0 ? push_whole(session, session->out, size, NULL, 0, err)
			: 0;
}

void
sftp_cork(struct sftp_session *session)
{
	session->corked = true;
}

int
sftp_uncork(struct sftp_session *session, struct error *err)
{
	session->corked = false;
	return flush(session, err);
}

static void
append(struct sftp_session *session, const void *bytes, size_t size)
{
	if (size > 0)
		memcpy(session->out + session->out_size, bytes, size);
	session->out_size += size;
}

static int
push_packet(struct sftp_session *session, const struct sftp_packet *packet,
    const void *tail, size_t tail_size, struct error *err)
{
	size_t size = packet->size + tail_size;

	if ((!session->corked || size > OUT_BYTES - session->out_size) &&
	    flush(session, err) < 0)
		return -1;
	if (!session->corked || size > OUT_BYTES)
		return push_whole(
		    session, packet->bytes, packet->size, tail, tail_size, err);
	append(session, packet->bytes, packet->size);
	append(session, tail, tail_size);
	return 0;
}

/* Wait for bytes, and take what packets they complete. */
static int
receive_more(struct sftp_session *session, const struct sftp_pending *pending,
    struct error *err)
{
	bool some = false;

	if (flush(session, err) < 0)
		return -1;
	if (sftp_session_receive(session, &some, err) < 0)
		return -1;
	if (!some && http_tunnel_wait(session->tunnel, false, err) < 0)
		return silent(session, pending, err);
	return sftp_session_take(session, err);
}

int
sftp_await(struct sftp_session *session, struct sftp_pending *pending,
    struct error *err)
{
	while (!pending->answered) {
		if (receive_more(session, pending, err) < 0)
			return -1;
	}
	return 0;
}

int
sftp_send(struct sftp_session *session, struct sftp_packet *packet,
    const void *tail, size_t tail_size, struct sftp_pending *pending,
    struct error *err)
{
	uint32_t id = session->next_id++;
	struct sftp_pending **slot = &session->pending[id % SFTP_PENDING_MAX];

	if (packet->overflow)
		return error_set(
		    err, ERROR_USAGE, _("a path is longer than 4096 bytes"));
	while (*slot != NULL) {
		if (receive_more(session, *slot, err) < 0)
			return -1;
	}

	sftp_store_u32(packet->bytes, (uint32_t)(packet->size - 4 + tail_size));
	sftp_store_u32(packet->bytes + 5, id);
	pending->session = session;
	pending->about = packet->about;
	pending->id = id;
	pending->waiting = true;
	pending->answered = false;
	*slot = pending;
	return push_packet(session, packet, tail, tail_size, err);
}

void
sftp_forget(struct sftp_session *session, struct sftp_pending *pending)
{
	struct sftp_pending **slot =
	    &session->pending[pending->id % SFTP_PENDING_MAX];

	if (pending->waiting && *slot == pending)
		*slot = &session->nobody;
	sftp_pending_clear(pending);
}

int
sftp_call(struct sftp_session *session, struct sftp_packet *packet,
    struct sftp_pending *pending, struct error *err)
{
	if (sftp_send(session, packet, NULL, 0, pending, err) == 0 &&
	    sftp_await(session, pending, err) == 0)
		return 0;
	sftp_forget(session, pending);
	return -1;
}

/* Wait for the daemon's "101"; any other answer is its refusal. */
static int
accept_tunnel(struct sftp_session *session, struct error *err)
{
	auto_reply struct http_reply reply = {0};

	if (http_tunnel_accept(session->tunnel, &reply, err) < 0)
		return sftp_session_failed(session, err);
	if (reply.status != 101) {
		auto_json json_t *envelope = incus_open_reply(&reply, err);

		if (envelope != NULL)
			error_set(err, ERROR_FAILED,
			    _("Incus opens no SFTP session"));
		return sftp_session_failed(session, err);
	}
	return 0;
}

int
sftp_session_ready(struct sftp_session *session, struct error *err)
{
	unsigned char init[9] = {0, 0, 0, 5, SFTP_INIT};
	struct iovec parts[2] = {{.iov_base = init, .iov_len = sizeof(init)}};

	if (session->open)
		return 0;
	if (accept_tunnel(session, err) < 0)
		return -1;
	sftp_store_u32(init + 5, PROTOCOL_VERSION);
	if (push(session, parts, err) < 0)
		return -1;
	session->open = true;
	return 0;
}
