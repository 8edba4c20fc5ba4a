/* http_curl.h - what http.c and http_tunnel.c share of libcurl */

#ifndef ANKLUME_INCUS_HTTP_CURL_H
#define ANKLUME_INCUS_HTTP_CURL_H

#include <curl/curl.h>

struct error;

struct http {
	CURLM *multi;
	char *socket_path;
	int timeout_ms;
};

/* A handle for `path` on the daemon, with what every request wants. NULL with
 * err set; freed by curl_easy_cleanup(). */
CURL *http_handle_new(
    const struct http *http, const char *path, struct error *err);

#endif
