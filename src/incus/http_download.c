#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/http.h"
#include "incus/http_exchange.h"
#include "stream/stream.h"

/* A download has a multi handle of its own: it moves only when it is read, not
 * with every other request, and may be read inside an upload's callback. */
struct download {
	struct stream base;
	struct http_exchange x;
	CURLM *multi;
};

static ssize_t
download_read(struct stream *s, void *buf, size_t size, struct error *err)
{
	return http_exchange_read(&((struct download *)s)->x, buf, size, err);
}

static void
download_free(struct stream *s)
{
	struct download *self = (struct download *)s;

	http_exchange_clear(&self->x);
	(void)curl_multi_cleanup(self->multi);
	free(self);
}

static const struct stream_kind download_kind = {
    .name = "download",
    .read = download_read,
    .free = download_free,
};

static bool
is_stream(const struct http_exchange *x)
{
	const char *type = NULL;

	(void)curl_easy_getinfo(x->easy, CURLINFO_CONTENT_TYPE, &type);
	return (http_exchange_status(x) == 200 ||
		   http_exchange_status(x) == 206) &&
	       (type == NULL || !text_starts_with(type, "application/json"));
}

/* Where it has to begin elsewhere than at its beginning, it does. */
static int
check_beginning(
    const struct http_exchange *x, uint64_t resume_bytes, struct error *err)
{
	struct curl_header *range = NULL;
	char wanted[64];

	(void)snprintf(
	    wanted, sizeof(wanted), "bytes %" PRIu64 "-", resume_bytes);
	if (resume_bytes == 0 ||
	    (http_exchange_status(x) == 206 &&
		curl_easy_header(x->easy, "Content-Range", 0, CURLH_HEADER, -1,
		    &range) == CURLHE_OK &&
		text_starts_with(range->value, wanted)))
		return 0;
	return error_set(err, ERROR_FAILED,
	    _("the daemon sends another part than was asked for"));
}

int
http_download(struct http *http, const struct http_request *request,
    struct stream **ret_body, struct http_reply *ret_reply, struct error *err)
{
	struct download *download = calloc(1, sizeof(*download));
	struct http_exchange *x;
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
	x->is_download = true;

	result = http_exchange_start(x, http, request, err);
	while (result == 0 && !x->head_done && !x->done)
		result = http_exchange_step(x, err);
	*ret_body = NULL;
	if (result == 0 && x->head_done && is_stream(x))
		result = check_beginning(x, request->resume_bytes, err);
	if (result == 0 && x->head_done && is_stream(x)) {
		*ret_body = &download->base;
		return 0;
	}

	if (result == 0)
		result = http_exchange_finish(x, ret_reply, err);
	stream_free(&download->base);
	return result;
}
