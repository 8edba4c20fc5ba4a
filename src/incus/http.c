#include "incus/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "incus/http_exchange.h"

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

static int
exchange_run(struct http_exchange *x, struct http *http,
    const struct http_request *request, struct http_reply *ret_reply,
    struct error *err)
{
	int result;

	x->multi = http->multi;
	result = http_exchange_start(x, http, request, err);
	if (result == 0)
		result = http_exchange_finish(x, ret_reply, err);
	http_exchange_clear(x);
	return result;
}

int
http_call(struct http *http, const struct http_request *request,
    struct http_reply *ret_reply, struct error *err)
{
	struct http_exchange x = {0};

	return exchange_run(&x, http, request, ret_reply, err);
}

int
http_upload(struct http *http, const struct http_request *request,
    struct stream *body, struct http_reply *ret_reply, bool *ret_whole,
    struct error *err)
{
	struct http_exchange x = {.upload = body};
	int result = exchange_run(&x, http, request, ret_reply, err);

	*ret_whole = x.whole;
	return result;
}
