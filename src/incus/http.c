#include "incus/http.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "stream/stream.h"

/* The daemon closes a connection that was idle for 30 s (incus, api.go,
 * IdleTimeout): an older one is not used again. */
#define CONNECTION_IDLE_MAX_S 20L

/* What one recv() may bring. While more is there, libcurl takes up to 100 of
 * these in one go (lib/transfer.c, maxloops): this bounds what a download can
 * pile up to 3.2 MB. */
#define RECEIVE_BYTES (32 * 1024)

struct http {
	CURLM *multi;
	char *socket_path;
	int timeout_ms;
};

/* One request on its way. */
struct exchange {
	struct http *http;
	CURLM *multi; /* borrowed: of http, or a download's own */
	CURL *easy;
	struct curl_slist *headers;
	struct error *err; /* of the call going on */
	struct stream *upload;
	int patience_ms;

	bool added;
	bool whole; /* the upload is: a shield is up, its answer must be heard
		     */
	bool head_done;
	bool done;
	CURLcode result;
	int64_t last_news_ms;
	uint64_t arrived_bytes; /* of the body, ever */

	char *received; /* body bytes that nobody has taken yet */
	size_t start;
	size_t end;
	size_t size;
};

void
http_reply_clear(struct http_reply *reply)
{
	free(reply->body);
	*reply = (struct http_reply){0};
}

struct http *
http_new(const char *socket_path, int timeout_ms, struct error *err)
{
	struct http *http = calloc(1, sizeof(*http));

	if (http == NULL) {
		error_set_memory(err);
		return NULL;
	}
	http->timeout_ms = timeout_ms;
	http->socket_path = strdup(socket_path);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		http->multi = curl_multi_init();
	if (http->multi == NULL || http->socket_path == NULL) {
		error_set_memory(err);
		http_free(http);
		return NULL;
	}
	return http;
}

void
http_free(struct http *http)
{
	if (http == NULL)
		return;
	if (http->multi != NULL)
		(void)curl_multi_cleanup(http->multi);
	free(http->socket_path);
	free(http);
}

static size_t
on_header(char *line, size_t size, size_t count, void *data)
{
	struct exchange *x = data;
	size_t length = size * count;
	long status = 0;

	x->last_news_ms = clock_now_ms();
	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	/* An empty line ends the head; "100 Continue" has a head of its own. */
	if (length <= 2 && line[0] != ' ' && status >= 200)
		x->head_done = true;
	return length;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *data)
{
	struct exchange *x = data;
	size_t length = size * count;

	x->last_news_ms = clock_now_ms();
	if (x->start == x->end)
		x->start = x->end = 0;
	if (x->size - x->end < length) {
		size_t wanted = (x->end + length) * 2;
		char *grown;

		if (wanted > 2 * (size_t)HTTP_REPLY_MAX_BYTES)
			return 0;
		grown = realloc(x->received, wanted);
		if (grown == NULL)
			return 0;
		x->received = grown;
		x->size = wanted;
	}
	memcpy(x->received + x->end, bytes, length);
	x->end += length;
	x->arrived_bytes += length;
	return length;
}

static size_t
on_upload(char *buf, size_t size, size_t count, void *data)
{
	struct exchange *x = data;
	ssize_t got = stream_read(x->upload, buf, size * count, x->err);

	/* Our own source may have taken its time. */
	x->last_news_ms = clock_now_ms();
	if (got == 0 && !x->whole) {
		interrupt_shield_up();
		x->whole = true;
	}
	return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

static void
exchange_clear(struct exchange *x)
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
add_header(struct exchange *x, const char *line, struct error *err)
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
set_headers(
    struct exchange *x, const struct http_request *request, struct error *err)
{
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

/* Prepare a request and hand it to the multi handle. */
static int
exchange_start(struct exchange *x, struct http *http,
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
collect_result(struct exchange *x)
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

static int
transport_failure(const struct exchange *x, struct error *err)
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

/* One round: let curl work; when that brought no byte, wait for something to
 * happen. */
static int
drive_once(struct exchange *x, struct error *err)
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

static int
exchange_status(const struct exchange *x)
{
	long status = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

/* Read the whole reply into memory. */
static int
finish_reply(
    struct exchange *x, struct http_reply *ret_reply, struct error *err)
{
	while (!x->done) {
		if (drive_once(x, err) < 0)
			return -1;
		if (x->end > HTTP_REPLY_MAX_BYTES) {
			x->result = CURLE_WRITE_ERROR;
			return transport_failure(x, err);
		}
	}
	if (x->result != CURLE_OK)
		return transport_failure(x, err);

	ret_reply->body =
	    text_copy(x->received + x->start, x->end - x->start, err);
	if (ret_reply->body == NULL)
		return -1;
	ret_reply->size = x->end - x->start;
	ret_reply->status = exchange_status(x);
	return 0;
}

static int
exchange_run(struct exchange *x, struct http *http,
    const struct http_request *request, struct http_reply *ret_reply,
    struct error *err)
{
	int result;

	x->multi = http->multi;
	result = exchange_start(x, http, request, err);
	if (result == 0)
		result = finish_reply(x, ret_reply, err);
	exchange_clear(x);
	return result;
}

int
http_call(struct http *http, const struct http_request *request,
    struct http_reply *ret_reply, struct error *err)
{
	struct exchange x = {0};

	return exchange_run(&x, http, request, ret_reply, err);
}

int
http_upload(struct http *http, const struct http_request *request,
    struct stream *body, struct http_reply *ret_reply, bool *ret_whole,
    struct error *err)
{
	struct exchange x = {.upload = body};
	int result = exchange_run(&x, http, request, ret_reply, err);

	*ret_whole = x.whole;
	return result;
}

/* A download has a multi handle of its own: it moves only when it is read, not
 * with every other request, and may be read inside an upload's callback. */
struct download {
	struct stream base;
	struct exchange x;
	CURLM *multi;
};

static ssize_t
download_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	struct exchange *x = &((struct download *)s)->x;
	size_t count;

	while (!x->done && x->start == x->end) {
		if (drive_once(x, err) < 0)
			return -1;
	}

	count = x->end - x->start;
	if (count == 0)
		return x->result == CURLE_OK ? 0 : transport_failure(x, err);
	if (count > size)
		count = size;
	memcpy(buf, x->received + x->start, count);
	x->start += count;
	return (ssize_t)count;
}

static void
download_free(struct stream *s)
{
	struct download *self = (struct download *)s;

	exchange_clear(&self->x);
	(void)curl_multi_cleanup(self->multi);
	free(self);
}

static const struct stream_kind download_kind = {
    .name = "download",
    .read = download_read,
    .free = download_free,
};

static bool
is_stream(const struct exchange *x)
{
	const char *type = NULL;

	(void)curl_easy_getinfo(x->easy, CURLINFO_CONTENT_TYPE, &type);
	return exchange_status(x) == 200 &&
	       (type == NULL || !text_starts_with(type, "application/json"));
}

int
http_download(struct http *http, const struct http_request *request,
    struct stream **ret_body, struct http_reply *ret_reply, struct error *err)
{
	struct download *download = calloc(1, sizeof(*download));
	struct exchange *x;
	int result;

	if (download != NULL)
		download->multi = curl_multi_init();
	if (download == NULL || download->multi == NULL) {
		free(download);
		return error_set_memory(err);
	}
	download->base.kind = &download_kind;
	x = &download->x;
	x->multi = download->multi;

	result = exchange_start(x, http, request, err);
	while (result == 0 && !x->head_done && !x->done)
		result = drive_once(x, err);
	if (result == 0 && x->head_done && is_stream(x)) {
		*ret_body = &download->base;
		return 0;
	}

	*ret_body = NULL;
	if (result == 0)
		result = finish_reply(x, ret_reply, err);
	stream_free(&download->base);
	return result;
}
