/* http.h - HTTP/1.1 with one daemon; http*.c are the only place that names
 * libcurl
 *
 * HTTP/1.1 because the daemon hijacks the connection for SFTP, which HTTP/2
 * does not allow. Every wait ends: when the other side gives no byte for the
 * timeout (ERROR_UNREACHABLE), or when the user interrupts. */

#ifndef ANKLUME_INCUS_HTTP_H
#define ANKLUME_INCUS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct http;
struct stream;

/* The largest reply that is read into memory. 10,000 instances listed by name
 * take 0.6 MiB. */
#define HTTP_REPLY_MAX_BYTES (16 * 1024 * 1024)

struct http_request {
	const char *method; /* "GET" */
	const char *path;   /* "/1.0?project=x", already percent-encoded */
	const char *body;   /* JSON, or NULL */
	const char *const *headers; /* "Name: value", ends with NULL; or NULL */
	uint64_t resume_bytes; /* a download begins there; 0: at its beginning
				*/
	int patience_ms; /* the answer may take so much longer than the timeout
			  */
};

/* A whole reply. Clear it with http_reply_clear(). */
struct http_reply {
	int status;
	char *body; /* ends with NUL, never NULL after success */
	size_t size;
};

void http_reply_clear(struct http_reply *reply);

/* Connections are made when needed. `socket_path` is copied. */
struct http *http_new(
    const char *socket_path, int timeout_ms, struct error *err);
void http_free(struct http *http);

/* One request with a small reply, of whatever status. */
int http_call(struct http *http, const struct http_request *request,
    struct http_reply *ret_reply, struct error *err);

/* One request whose reply is a stream. A reply of status 200 (or 206, where
 * it is to resume: any other beginning is an error) that is not JSON becomes
 * *ret_body, which must not outlive `http`; any other is read into *ret_reply,
 * and *ret_body is NULL. A body that is cut is an error. */
int http_download(struct http *http, const struct http_request *request,
    struct stream **ret_body, struct http_reply *ret_reply, struct error *err);

/* One request whose body is `body` (borrowed), sent in chunks; the last chunk
 * is withheld until `body` has ended well, otherwise the connection is cut and
 * the stream's own error is returned. An interruption behind that point waits
 * for the answer: the caller must know what it has started. On failure
 * *ret_whole says whether the daemon may have got all of it. */
int http_upload(struct http *http, const struct http_request *request,
    struct stream *body, struct http_reply *ret_reply, bool *ret_whole,
    struct error *err);

static inline void
auto_reply_cleanup(struct http_reply *reply)
{
	http_reply_clear(reply);
}

/* An owning local. */
#define auto_reply __attribute__((cleanup(auto_reply_cleanup)))

#endif
