#include "incus/http_tunnel.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/wait.h"
#include "incus/endpoint.h"
#include "incus/http.h"

/* The head of an answer; the daemon's own has 80 bytes. */
#define HEAD_MAX_BYTES (16 * 1024)

/* The body of a refusal. */
#define REFUSAL_MAX_BYTES (64 * 1024)

struct http_tunnel {
	int fd;
	int timeout_ms;
};

static int
send_all(struct http_tunnel *tunnel, char *text, struct error *err)
{
	struct iovec part = {.iov_base = text, .iov_len = strlen(text)};

	while (part.iov_len > 0) {
		ssize_t sent = http_tunnel_send(tunnel, &part, 1, err);

		if (sent < 0)
			return -1;
		if (sent == 0 && http_tunnel_wait(tunnel, true, err) < 0)
			return -1;
		part.iov_base = (char *)part.iov_base + sent;
		part.iov_len -= (size_t)sent;
	}
	return 0;
}

struct http_tunnel *
http_tunnel_new(const char *socket_path, int timeout_ms, const char *path,
    const char *protocol, struct error *err)
{
	auto_free char *request = text_format(err,
	    "GET %s HTTP/1.1\r\nHost: incus\r\nUser-Agent: anklume\r\n"
	    "Connection: Upgrade\r\nUpgrade: %s\r\n\r\n",
	    path, protocol);
	struct http_tunnel *tunnel;

	if (request == NULL)
		return NULL;
	tunnel = calloc(1, sizeof(*tunnel));
	if (tunnel == NULL) {
		error_set_memory(err);
		return NULL;
	}
	tunnel->timeout_ms = timeout_ms;
	tunnel->fd = incus_endpoint_connect(socket_path, timeout_ms, err);
	if (tunnel->fd < 0 || send_all(tunnel, request, err) < 0) {
		http_tunnel_free(tunnel);
		return NULL;
	}
	return tunnel;
}

void
http_tunnel_free(struct http_tunnel *tunnel)
{
	if (tunnel == NULL)
		return;
	if (tunnel->fd >= 0)
		(void)close(tunnel->fd);
	free(tunnel);
}

/* 0 for "not now", -1 for a broken connection. */
static ssize_t
moved(ssize_t count, struct error *err)
{
	if (count >= 0)
		return count;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	return error_set(err, ERROR_FAILED,
	    _("the connection to Incus broke: %s"), strerror(errno));
}

ssize_t
http_tunnel_send(struct http_tunnel *tunnel, struct iovec *parts, size_t count,
    struct error *err)
{
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};

	return moved(
	    sendmsg(tunnel->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT), err);
}

ssize_t
http_tunnel_receive(
    struct http_tunnel *tunnel, void *buf, size_t size, struct error *err)
{
	ssize_t got = recv(tunnel->fd, buf, size, MSG_DONTWAIT);

	if (got == 0 && size > 0)
		return error_set(err, ERROR_FAILED,
		    _("the other side closed the connection"));
	return moved(got, err);
}

int
http_tunnel_wait(struct http_tunnel *tunnel, bool sending, struct error *err)
{
	short events = (short)(sending ? POLLIN | POLLOUT : POLLIN);
	int ready = wait_ready(tunnel->fd, events, tunnel->timeout_ms, err);

	if (ready == 0)
		return error_set(err, ERROR_UNREACHABLE,
		    _("the other side has been silent for %d s"),
		    tunnel->timeout_ms / 1000);
	return ready < 0 ? -1 : 0;
}

/* Read the head byte by byte at its end: what follows it is not ours. The
 * daemon never speaks first, so reading in one go cannot take too much. */
static int
read_head(struct http_tunnel *tunnel, char *head, size_t *ret_used,
    char **ret_rest, struct error *err)
{
	size_t used = 0;

	for (;;) {
		ssize_t got = http_tunnel_receive(
		    tunnel, head + used, HEAD_MAX_BYTES - used, err);

		if (got < 0)
			return -1;
		if (got == 0 && http_tunnel_wait(tunnel, false, err) < 0)
			return -1;
		used += (size_t)got;
		head[used] = '\0';
		*ret_rest = strstr(head, "\r\n\r\n");
		if (*ret_rest != NULL)
			break;
		if (used == HEAD_MAX_BYTES)
			return error_set(err, ERROR_FAILED,
			    _("the daemon's answer is not HTTP"));
	}
	*ret_rest += 4;
	*ret_used = used;
	return 0;
}

/* The number in "HTTP/1.1 101 Switching Protocols"; -1 when it is not one. */
static int
parse_status(const char *head)
{
	char digits[4] = {0};
	uint64_t status;

	if (!text_starts_with(head, "HTTP/1.") || strlen(head) < 12 ||
	    head[8] != ' ')
		return -1;
	memcpy(digits, head + 9, 3);
	return text_parse_number(digits, 999, &status) ? (int)status : -1;
}

/* The announced length of a refusal's body; 0 when there is none. */
static size_t
content_length(const char *head)
{
	const char *field = strcasestr(head, "\r\nContent-Length:");
	char digits[16] = {0};
	uint64_t length = 0;

	if (field == NULL)
		return 0;
	field += strlen("\r\nContent-Length:");
	field += strspn(field, " ");
	memcpy(digits, field, strnlen(field, sizeof(digits) - 1));
	digits[strspn(digits, "0123456789")] = '\0';
	if (!text_parse_number(digits, REFUSAL_MAX_BYTES, &length))
		return 0;
	return (size_t)length;
}

static int
read_refusal(struct http_tunnel *tunnel, const char *head, const char *rest,
    size_t rest_size, struct http_reply *ret_reply, struct error *err)
{
	size_t length = content_length(head);
	char *body = calloc(1, length + 1);

	if (body == NULL)
		return error_set_memory(err);
	if (rest_size > length)
		rest_size = length;
	memcpy(body, rest, rest_size);
	while (rest_size < length) {
		ssize_t got = http_tunnel_receive(
		    tunnel, body + rest_size, length - rest_size, err);

		if (got < 0 ||
		    (got == 0 && http_tunnel_wait(tunnel, false, err) < 0)) {
			free(body);
			return -1;
		}
		rest_size += (size_t)got;
	}
	ret_reply->body = body;
	ret_reply->size = length;
	return 0;
}

int
http_tunnel_accept(
    struct http_tunnel *tunnel, struct http_reply *ret_reply, struct error *err)
{
	auto_free char *head = malloc(HEAD_MAX_BYTES + 1);
	char *rest = NULL;
	size_t used = 0;

	if (head == NULL)
		return error_set_memory(err);
	if (read_head(tunnel, head, &used, &rest, err) < 0)
		return -1;

	ret_reply->status = parse_status(head);
	if (ret_reply->status < 0)
		return error_set(
		    err, ERROR_FAILED, _("the daemon's answer is not HTTP"));
	if (ret_reply->status != 101)
		return read_refusal(tunnel, head, rest,
		    used - (size_t)(rest - head), ret_reply, err);
	if ((size_t)(rest - head) != used)
		return error_set(err, ERROR_FAILED,
		    _("the daemon spoke before it was spoken to"));
	return 0;
}
