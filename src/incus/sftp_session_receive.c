#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "incus/http_tunnel.h"
#include "incus/sftp_session_state.h"

/* Nothing that follows could be understood. */
static int
protocol_error(
    struct sftp_session *session, const char *what, struct error *err)
{
	session->broken = true;
	return error_set(err, ERROR_FAILED,
	    _("'%s' does not speak SFTP properly: %s"), session->label, what);
}

int
sftp_session_receive(
    struct sftp_session *session, bool *ret_some, struct error *err)
{
	ssize_t got =
	    http_tunnel_receive(session->tunnel, session->in + session->in_size,
		sizeof(session->in) - session->in_size, err);

	if (got < 0)
		return sftp_session_failed(session, err);
	session->in_size += (size_t)got;
	*ret_some = got > 0;
	return 0;
}

static int
keep_payload(struct sftp_pending *pending, const unsigned char *bytes,
    size_t size, struct error *err)
{
	if (size > pending->payload_room) {
		unsigned char *grown = realloc(pending->payload, size);

		if (grown == NULL)
			return error_set_memory(err);
		pending->payload = grown;
		pending->payload_room = size;
	}
	if (size > 0)
		memcpy(pending->payload, bytes, size);
	pending->payload_size = size;
	return 0;
}

static int
dispatch(struct sftp_session *session, const unsigned char *packet, size_t size,
    struct error *err)
{
	uint32_t id = sftp_load_u32(packet + 5);
	struct sftp_pending **slot = &session->pending[id % SFTP_PENDING_MAX];
	struct sftp_pending *pending = *slot;

	if (pending == &session->nobody) {
		*slot = NULL;
		return 0;
	}
	if (pending == NULL || pending->id != id)
		return protocol_error(
		    session, _("an answer to no request"), err);
	if (keep_payload(
		pending, packet + HEADER_BYTES, size - HEADER_BYTES, err) < 0)
		return -1;
	pending->type = packet[4];
	pending->waiting = false;
	pending->answered = true;
	*slot = NULL;
	return 0;
}

/* The pairs after the version: names of extensions and their data. */
static int
read_extensions(
    struct sftp_session *session, struct sftp_cursor *cursor, struct error *err)
{
	while (cursor->left > 0) {
		size_t size;
		size_t ignored;
		const unsigned char *name = sftp_get_bytes(cursor, &size);

		(void)sftp_get_bytes(cursor, &ignored);
		if (cursor->bad)
			return protocol_error(
			    session, _("a malformed greeting"), err);
		if (session->extension_count == EXTENSIONS_MAX ||
		    size >= EXTENSION_NAME_BYTES)
			continue;
		memcpy(session->extensions[session->extension_count++], name,
		    size);
	}
	return 0;
}

/* VERSION, which has no id and comes before all answers. */
static int
take_greeting(struct sftp_session *session, const unsigned char *packet,
    size_t size, struct error *err)
{
	struct sftp_cursor cursor = {packet + 4, size - 4, false};

	if (sftp_get_u8(&cursor) != SFTP_VERSION ||
	    sftp_get_u32(&cursor) != PROTOCOL_VERSION || cursor.bad)
		return protocol_error(session, _("not version 3"), err);
	session->greeted = true;
	return read_extensions(session, &cursor, err);
}

static int
take_packet(struct sftp_session *session, const unsigned char *packet,
    size_t size, struct error *err)
{
	if (!session->greeted)
		return take_greeting(session, packet, size, err);
	return dispatch(session, packet, size, err);
}

int
sftp_session_take(struct sftp_session *session, struct error *err)
{
	size_t used = 0;

	while (session->in_size - used >= 4) {
		const unsigned char *packet = session->in + used;
		uint32_t length = sftp_load_u32(packet);

		if (length < HEADER_BYTES - 4 || length > SFTP_PACKET_MAX_BYTES)
			return protocol_error(
			    session, _("an impossible length"), err);
		if (session->in_size - used < 4 + (size_t)length)
			break;
		if (take_packet(session, packet, 4 + (size_t)length, err) < 0)
			return -1;
		used += 4 + (size_t)length;
	}
	if (used > 0)
		memmove(
		    session->in, session->in + used, session->in_size - used);
	session->in_size -= used;
	return 0;
}

int
sftp_poll(struct sftp_session *session, struct error *err)
{
	bool some = true;

	while (some) {
		if (sftp_session_receive(session, &some, err) < 0 ||
		    sftp_session_take(session, err) < 0)
			return -1;
	}
	return 0;
}
