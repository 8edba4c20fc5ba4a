#include "incus/http_exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "incus/http.h"
#include "stream/stream.h"

/* The daemon closes a connection that was idle for 30 s (incus, api.go,
 * IdleTimeout): an older one is not used again. */
#define CONNECTION_IDLE_MAX_S 20L

/* What one recv() may bring: what a Unix socket holds (net.core.wmem_default).
 */
#define RECEIVE_BYTES (256 * 1024)

static size_t
on_header(char *line, size_t size, size_t count, void *data)
{
	struct http_exchange *x = data;
	size_t length = size * count;
	long status = 0;

	x->last_news_ms = clock_now_ms();
	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	/* An empty line ends the head; "100 Continue" has a head of its own. */
	if (length <= 2 && line[0] != ' ' && status >= 200)
		x->head_done = true;
	return length;
}

/* As much as fits goes where it is wanted. */
static size_t
fill_target(struct http_exchange *x, const char *bytes, size_t length)
{
	size_t room = x->target_size - x->target_filled;
	size_t fits = length < room ? length : room;

	if (fits > 0)
		memcpy(x->target + x->target_filled, bytes, fits);
	x->target_filled += fits;
	return fits;
}

/* Keep it until somebody asks. */
static int
keep(struct http_exchange *x, const char *bytes, size_t length)
{
	if (x->start == x->end)
		x->start = x->end = 0;
	if (x->size - x->end < length) {
		size_t wanted = (x->end + length) * 2;
		char *grown;

		if (wanted > 2 * (size_t)HTTP_REPLY_MAX_BYTES)
			return -1;
		grown = realloc(x->received, wanted);
		if (grown == NULL)
			return -1;
		x->received = grown;
		x->size = wanted;
	}
	memcpy(x->received + x->end, bytes, length);
	x->end += length;
	return 0;
}

/* libcurl gives a piece of 16 KiB at most (CURL_MAX_WRITE_SIZE). A download
 * keeps one; the next waits, with the rest of what one recv() has brought, in
 * libcurl, until the first has been taken. */
static size_t
on_body(char *bytes, size_t size, size_t count, void *data)
{
	struct http_exchange *x = data;
	size_t length = size * count;
	size_t taken;

	x->last_news_ms = clock_now_ms();
	if (x->is_download && x->start != x->end) {
		x->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	taken = fill_target(x, bytes, length);
	if (taken < length && keep(x, bytes + taken, length - taken) < 0)
		return 0;
	x->arrived_bytes += length;
	return length;
}

static size_t
on_upload(char *buf, size_t size, size_t count, void *data)
{
	struct http_exchange *x = data;
	ssize_t got = stream_read(x->upload, buf, size * count, x->err);

	/* Our own source may have taken its time. */
	x->last_news_ms = clock_now_ms();
	if (got == 0 && !x->whole) {
		interrupt_shield_up();
		x->whole = true;
	}
	return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

void
http_exchange_clear(struct http_exchange *x)
{
	if (x->added)
		(void)curl_multi_remove_handle(x->multi, x->easy);
	if (x->easy != NULL)
		curl_easy_cleanup(x->easy);
	curl_slist_free_all(x->headers);
	free(x->received);
	if (x->whole)
		interrupt_shield_down();
	x->added = false;
	x->easy = NULL;
	x->headers = NULL;
	x->received = NULL;
}

static int
add_header(struct http_exchange *x, const char *line, struct error *err)
{
	struct curl_slist *longer = curl_slist_append(x->headers, line);

	if (longer == NULL)
		return error_set_memory(err);
	x->headers = longer;
	return 0;
}

static CURL *
handle_new(const struct http *http, const char *path, struct error *err)
{
	CURL *easy = curl_easy_init();
	auto_free char *url = NULL;

	if (easy == NULL) {
		error_set_memory(err);
		return NULL;
	}
	url = text_format(err, "http://incus%s", path);
	if (url == NULL) {
		curl_easy_cleanup(easy);
		return NULL;
	}

	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(
	    easy, CURLOPT_UNIX_SOCKET_PATH, http->socket_path);
	(void)curl_easy_setopt(
	    easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
	(void)curl_easy_setopt(
	    easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)STREAM_BUFFER_BYTES);
	(void)curl_easy_setopt(
	    easy, CURLOPT_MAXAGE_CONN, CONNECTION_IDLE_MAX_S);
	return easy;
}

static int
add_range(struct http_exchange *x, uint64_t from, struct error *err)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "Range: bytes=%" PRIu64 "-", from);
	return add_header(x, line, err);
}

static int
set_headers(struct http_exchange *x, const struct http_request *request,
    struct error *err)
{
	if (request->resume_bytes > 0 &&
	    add_range(x, request->resume_bytes, err) < 0)
		return -1;
	/* Waiting for "100 Continue" would cost a second where it is unknown.
	 */
	if (add_header(x, "Expect:", err) < 0)
		return -1;
	if (request->body != NULL &&
	    add_header(x, "Content-Type: application/json", err) < 0)
		return -1;
	for (const char *const *line = request->headers;
	     line != NULL && *line != NULL; line++) {
		if (add_header(x, *line, err) < 0)
			return -1;
	}
	(void)curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
	return 0;
}

int
http_exchange_start(struct http_exchange *x, struct http *http,
    const struct http_request *request, struct error *err)
{
	x->http = http;
	x->patience_ms = request->patience_ms;
	x->easy = handle_new(http, request->path, err);
	if (x->easy == NULL || set_headers(x, request, err) < 0)
		return -1;

	(void)curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x);
	(void)curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
	if (x->upload != NULL) {
		(void)curl_easy_setopt(x->easy, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(
		    x->easy, CURLOPT_READFUNCTION, on_upload);
		(void)curl_easy_setopt(x->easy, CURLOPT_READDATA, x);
	} else if (request->body != NULL) {
		(void)curl_easy_setopt(x->easy, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)strlen(request->body));
		(void)curl_easy_setopt(
		    x->easy, CURLOPT_COPYPOSTFIELDS, request->body);
	}
	(void)curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, request->method);
	/* When a connection that was used before breaks, libcurl sends the
	 * request again: only what changes nothing may be sent twice. */
	if (strcmp(request->method, "GET") != 0)
		(void)curl_easy_setopt(x->easy, CURLOPT_FRESH_CONNECT, 1L);

	if (curl_multi_add_handle(x->multi, x->easy) != CURLM_OK)
		return error_set_memory(err);
	x->added = true;
	x->last_news_ms = clock_now_ms();
	return 0;
}

static void
collect_result(struct http_exchange *x)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(x->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE ||
		    message->easy_handle != x->easy)
			continue;
		x->done = true;
		x->result = message->data.result;
	}
}

int
http_exchange_failure(const struct http_exchange *x, struct error *err)
{
	long os_errno = 0;

	if (error_is_set(err))
		return -1;
	switch ((int)x->result) {
	case CURLE_COULDNT_CONNECT:
		(void)curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &os_errno);
		return error_set(err, ERROR_UNREACHABLE,
		    _("cannot connect to Incus at '%s': %s"),
		    x->http->socket_path,
		    os_errno != 0 ? strerror((int)os_errno) : "?");
	case CURLE_OUT_OF_MEMORY:
		return error_set_memory(err);
	case CURLE_WRITE_ERROR:
		return error_set(err, ERROR_FAILED,
		    _("the daemon's reply is larger than %d bytes"),
		    HTTP_REPLY_MAX_BYTES);
	default:
		return error_set(err, ERROR_FAILED,
		    _("the connection to Incus broke: %s"),
		    curl_easy_strerror(x->result));
	}
}

int
http_exchange_step(struct http_exchange *x, struct error *err)
{
	struct curl_waitfd wake = {
	    .fd = interrupt_fd(), .events = CURL_WAIT_POLLIN};
	uint64_t arrived_before = x->arrived_bytes;
	int64_t deadline_ms;
	int running = 0;

	x->err = err;
	if (curl_multi_perform(x->multi, &running) != CURLM_OK)
		return error_set(err, ERROR_FAILED, _("libcurl failed"));
	collect_result(x);
	if (error_is_set(err) || interrupt_check(err) < 0)
		return -1;
	if (x->done || x->arrived_bytes != arrived_before)
		return 0;

	deadline_ms = x->last_news_ms + x->http->timeout_ms + x->patience_ms;
	if (clock_left_ms(deadline_ms) == 0)
		return error_set(err, ERROR_UNREACHABLE,
		    _("Incus has not answered for %d s"),
		    x->http->timeout_ms / 1000);
	(void)curl_multi_poll(x->multi, &wake, wake.fd >= 0 ? 1 : 0,
	    clock_left_ms(deadline_ms), NULL);
	return 0;
}

int
http_exchange_status(const struct http_exchange *x)
{
	long status = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

/* What waits in libcurl may come, at once. */
static int
resume(struct http_exchange *x, struct error *err)
{
	if (!x->paused)
		return 0;
	x->paused = false;
	x->err = err;
	if (curl_easy_pause(x->easy, CURLPAUSE_CONT) != CURLE_OK)
		return error_set(err, ERROR_FAILED, _("libcurl failed"));
	return 0;
}

int
http_exchange_finish(
    struct http_exchange *x, struct http_reply *ret_reply, struct error *err)
{
	x->is_download = false;
	if (resume(x, err) < 0)
		return -1;
	while (!x->done) {
		if (http_exchange_step(x, err) < 0)
			return -1;
		if (x->end > HTTP_REPLY_MAX_BYTES) {
			x->result = CURLE_WRITE_ERROR;
			return http_exchange_failure(x, err);
		}
	}
	if (x->result != CURLE_OK)
		return http_exchange_failure(x, err);

	ret_reply->body =
	    text_copy(x->received + x->start, x->end - x->start, err);
	if (ret_reply->body == NULL)
		return -1;
	ret_reply->size = x->end - x->start;
	ret_reply->status = http_exchange_status(x);
	return 0;
}

ssize_t
http_exchange_read(
    struct http_exchange *x, void *buf, size_t size, struct error *err)
{
	/* Whoever reads may have taken its time. */
	x->last_news_ms = clock_now_ms();
	x->target = buf;
	x->target_size = size;
	x->target_filled = 0;
	if (x->start < x->end)
		x->start +=
		    fill_target(x, x->received + x->start, x->end - x->start);
	if (x->start == x->end && resume(x, err) < 0)
		return -1;
	while (!x->done && x->target_filled == 0) {
		if (http_exchange_step(x, err) < 0)
			return -1;
	}
	if (x->target_filled > 0)
		return (ssize_t)x->target_filled;
	return x->result == CURLE_OK ? 0 : http_exchange_failure(x, err);
}
