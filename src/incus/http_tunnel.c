#include "incus/http_tunnel.h"

#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/wait.h"
#include "incus/http.h"
#include "incus/http_curl.h"

/* The head of an answer; the daemon's own has 80 bytes. */
#define HEAD_MAX_BYTES (16 * 1024)

/* The body of a refusal. */
#define REFUSAL_MAX_BYTES (64 * 1024)

struct http_tunnel {
	CURL *easy;
	curl_socket_t fd;
	int timeout_ms;
};

static int
send_all(struct http_tunnel *tunnel, const char *text, struct error *err)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t sent = http_tunnel_send(tunnel, text, left, err);

		if (sent < 0)
			return -1;
		if (sent == 0 && http_tunnel_wait(tunnel, true, err) < 0)
			return -1;
		text += sent;
		left -= (size_t)sent;
	}
	return 0;
}

struct http_tunnel *
http_tunnel_new(struct http *http, const char *path, const char *protocol,
    struct error *err)
{
	struct http_tunnel *tunnel = calloc(1, sizeof(*tunnel));
	auto_free char *request = NULL;
	CURLcode result = CURLE_OK;

	if (tunnel == NULL) {
		error_set_memory(err);
		return NULL;
	}
	tunnel->timeout_ms = http->timeout_ms;
	tunnel->easy = http_handle_new(http, path, err);
	request = text_format(err,
	    "GET %s HTTP/1.1\r\nHost: incus\r\nUser-Agent: anklume\r\n"
	    "Connection: Upgrade\r\nUpgrade: %s\r\n\r\n",
	    path, protocol);
	if (tunnel->easy == NULL || request == NULL) {
		http_tunnel_free(tunnel);
		return NULL;
	}

	(void)curl_easy_setopt(tunnel->easy, CURLOPT_CONNECT_ONLY, 1L);
	(void)curl_easy_setopt(
	    tunnel->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)http->timeout_ms);
	result = curl_easy_perform(tunnel->easy);
	if (result == CURLE_OK)
		result = curl_easy_getinfo(
		    tunnel->easy, CURLINFO_ACTIVESOCKET, &tunnel->fd);
	if (result != CURLE_OK)
		error_set(err, ERROR_UNREACHABLE,
		    _("cannot connect to Incus at '%s': %s"), http->socket_path,
		    curl_easy_strerror(result));
	if (result != CURLE_OK || send_all(tunnel, request, err) < 0) {
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
	if (tunnel->easy != NULL)
		curl_easy_cleanup(tunnel->easy);
	free(tunnel);
}

ssize_t
http_tunnel_send(struct http_tunnel *tunnel, const void *bytes, size_t size,
    struct error *err)
{
	size_t sent = 0;
	CURLcode result = curl_easy_send(tunnel->easy, bytes, size, &sent);

	if (result == CURLE_OK || result == CURLE_AGAIN)
		return (ssize_t)sent;
	return error_set(err, ERROR_FAILED,
	    _("the connection to Incus broke: %s"), curl_easy_strerror(result));
}

ssize_t
http_tunnel_receive(
    struct http_tunnel *tunnel, void *buf, size_t size, struct error *err)
{
	size_t got = 0;
	CURLcode result = curl_easy_recv(tunnel->easy, buf, size, &got);

	if (result == CURLE_AGAIN)
		return 0;
	if (result != CURLE_OK)
		return error_set(err, ERROR_FAILED,
		    _("the connection to Incus broke: %s"),
		    curl_easy_strerror(result));
	if (got == 0)
		return error_set(err, ERROR_FAILED,
		    _("the other side closed the connection"));
	return (ssize_t)got;
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
