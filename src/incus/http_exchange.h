/* http_exchange.h - one request on its way through libcurl; for http*.c only */

#ifndef ANKLUME_INCUS_HTTP_EXCHANGE_H
#define ANKLUME_INCUS_HTTP_EXCHANGE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;
struct http_reply;
struct http_request;
struct stream;

struct http {
	CURLM *multi;
	char *socket_path;
	int timeout_ms;
};

/* What the caller sets is the multi handle, an upload and whether it is a
 * download; the rest starts as zero. */
struct http_exchange {
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

	/* Of a download: where the read going on wants the body. */
	bool is_download;
	bool paused;
	char *target;
	size_t target_size;
	size_t target_filled;

	char *received; /* body bytes that nobody has taken yet */
	size_t start;
	size_t end;
	size_t size;
};

/* Hand a request to the multi handle. Whatever comes of it,
 * http_exchange_clear() follows. */
int http_exchange_start(struct http_exchange *x, struct http *http,
    const struct http_request *request, struct error *err);
void http_exchange_clear(struct http_exchange *x);

/* One round: let libcurl work; when that brought no byte, wait for something to
 * happen. */
int http_exchange_step(struct http_exchange *x, struct error *err);

/* The status of its answer, once the head is there. */
int http_exchange_status(const struct http_exchange *x);

/* Why it has not ended well: always -1. */
int http_exchange_failure(const struct http_exchange *x, struct error *err);

/* Go on to the end, and read the whole reply into memory. */
int http_exchange_finish(
    struct http_exchange *x, struct http_reply *ret_reply, struct error *err);

/* Of a download: some of the body into `buf`, without waiting when there is
 * any; 0 at its end. */
ssize_t http_exchange_read(
    struct http_exchange *x, void *buf, size_t size, struct error *err);

#endif
