#include "incus/client.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/endpoint.h"
#include "incus/http.h"

struct incus_client {
	char *socket_path;
	int timeout_ms;
	struct http *http;
	json_t *about; /* GET /1.0; NULL until asked */
	struct incus_server server;
};

struct incus_client *
incus_client_open(int timeout_s, struct error *err)
{
	struct incus_client *client = calloc(1, sizeof(*client));

	if (client == NULL) {
		error_set_memory(err);
		return NULL;
	}
	client->timeout_ms = timeout_s * 1000;
	client->socket_path = incus_endpoint_find(err);
	if (client->socket_path != NULL &&
	    incus_endpoint_try(client->socket_path, client->timeout_ms, err) ==
		0)
		client->http =
		    http_new(client->socket_path, client->timeout_ms, err);
	if (client->http == NULL) {
		incus_client_free(client);
		return NULL;
	}
	return client;
}

void
incus_client_free(struct incus_client *client)
{
	if (client == NULL)
		return;
	json_decref(client->about);
	http_free(client->http);
	free(client->socket_path);
	free(client);
}

void
incus_client_inherit(
    struct incus_client *client, const struct incus_client *from)
{
	if (from->about == NULL || client->about != NULL)
		return;
	client->about = json_incref(from->about);
	client->server = from->server;
}

struct http *
incus_client_http(struct incus_client *client)
{
	return client->http;
}

int
incus_client_timeout_ms(const struct incus_client *client)
{
	return client->timeout_ms;
}

const char *
incus_client_socket(const struct incus_client *client)
{
	return client->socket_path;
}

static const char *
or_empty(const char *text)
{
	return text != NULL ? text : "";
}

const struct incus_server *
incus_client_server(struct incus_client *client, struct error *err)
{
	struct incus_server *server = &client->server;
	const json_t *environment;

	if (client->about != NULL)
		return server;
	if (incus_get(client, "/1.0", &client->about, err) < 0)
		return NULL;

	environment = json_at(client->about, "environment", NULL);
	server->name = or_empty(json_text(environment, "server_name"));
	server->version = or_empty(json_text(environment, "server_version"));
	server->clustered = json_flag(environment, "server_clustered");
	server->fingerprint =
	    or_empty(json_text(environment, "certificate_fingerprint"));
	return server;
}

const char *
incus_client_config(
    struct incus_client *client, const char *key, struct error *err)
{
	if (incus_client_server(client, err) == NULL)
		return NULL;
	return json_text(json_object_get(client->about, "config"), key);
}

int
incus_client_runs_architecture(
    struct incus_client *client, const char *architecture, struct error *err)
{
	const json_t *known;
	const json_t *one;
	size_t i;

	if (incus_client_server(client, err) == NULL)
		return -1;
	known = json_at(client->about, "environment", "architectures", NULL);
	if (json_array_size(known) == 0)
		return 1;
	json_array_foreach(known, i, one)
	{
		const char *name = json_string_value(one);

		if (name != NULL && strcmp(name, architecture) == 0)
			return 1;
	}
	return 0;
}

/* "driver" is "lxc | qemu", of what it has (incus, cmd/incusd/api_1.0.go). */
int
incus_client_runs_type(
    struct incus_client *client, const char *type, struct error *err)
{
	const char *drivers;

	if (incus_client_server(client, err) == NULL)
		return -1;
	drivers =
	    json_text(json_object_get(client->about, "environment"), "driver");
	return drivers == NULL ||
	       strstr(drivers,
		   strcmp(type, "container") == 0 ? "lxc" : "qemu") != NULL;
}

int
incus_client_supports(
    struct incus_client *client, const char *extension, struct error *err)
{
	const json_t *extensions;
	const json_t *one;
	size_t i;

	if (incus_client_server(client, err) == NULL)
		return -1;
	extensions = json_object_get(client->about, "api_extensions");
	json_array_foreach(extensions, i, one)
	{
		const char *name = json_string_value(one);

		if (name != NULL && strcmp(name, extension) == 0)
			return 1;
	}
	return 0;
}

int
incus_client_setting(struct incus_client *client, const char *key,
    const char **ret_value, struct error *err)
{
	const char *value;

	if (incus_client_server(client, err) == NULL)
		return -1;
	value = json_text(json_object_get(client->about, "config"), key);
	*ret_value = value != NULL && *value != '\0' ? value : NULL;
	return 0;
}

/* RFC 3986, section 2.3: everything but the unreserved characters. */
static char *
percent_encode(char *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.~";
	static const char digits[] = "0123456789ABCDEF";

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (strchr(plain, c) != NULL) {
			*out++ = (char)c;
			continue;
		}
		*out++ = '%';
		*out++ = digits[c >> 4];
		*out++ = digits[c & 15U];
	}
	*out = '\0';
	return out;
}

static const char *const path_start = "/1.0";
static const char *const path_project = "?project=";

/* The daemon's router cleans a path, as RFC 3986, section 5.2.4, has it: these
 * name no member of a collection, but the collection, or its parent. */
static bool
leads_astray(const char *segment)
{
	return *segment == '\0' || strcmp(segment, ".") == 0 ||
	       strcmp(segment, "..") == 0;
}

char *
incus_path(struct error *err, const char *project, const char *segment, ...)
{
	size_t size = strlen(path_start) + strlen(path_project) + 1;
	va_list segments;
	char *path;
	char *out;

	va_start(segments, segment);
	for (const char *s = segment; s != NULL;
	     s = va_arg(segments, const char *)) {
		size += 1 + 3 * strlen(s);
		if (!leads_astray(s))
			continue;
		error_set(err, ERROR_USAGE, _("'%s' cannot be a name"), s);
		va_end(segments);
		return NULL;
	}
	va_end(segments);
	if (project != NULL)
		size += 3 * strlen(project);

	path = malloc(size);
	if (path == NULL) {
		error_set_memory(err);
		return NULL;
	}
	out = stpcpy(path, path_start);
	va_start(segments, segment);
	for (const char *s = segment; s != NULL;
	     s = va_arg(segments, const char *)) {
		*out++ = '/';
		out = percent_encode(out, s);
	}
	va_end(segments);
	if (project != NULL) {
		out = stpcpy(out, path_project);
		(void)percent_encode(out, project);
	}
	return path;
}

static enum error_code
code_of_status(int status)
{
	switch (status) {
	case 401:
	case 403:
		return ERROR_DENIED;
	case 404:
		return ERROR_NOT_FOUND;
	case 409:
		return ERROR_EXISTS;
	default:
		return ERROR_FAILED;
	}
}

int
incus_set_error(struct error *err, int status, const char *text)
{
	/* What the daemon says with a status of 400 or 500. */
	static const struct {
		const char *words;
		enum error_code code;
	} known[] = {
	    {"no space left on device", ERROR_NO_SPACE},
	    {"disk quota exceeded", ERROR_NO_SPACE},
	    /* A spool that is full ends the compressor. */
	    {"io: read/write on closed pipe", ERROR_NO_SPACE},
	    {"doesn't allow for", ERROR_DENIED},
	    {"is forbidden", ERROR_DENIED},
	    {"already exists", ERROR_EXISTS},
	    {"already frozen", ERROR_EXISTS},
	    {"not found", ERROR_NOT_FOUND},
	};
	enum error_code code = code_of_status(status);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (code == ERROR_FAILED &&
		    strcasestr(text, known[i].words) != NULL)
			code = known[i].code;
	}
	return error_set(err, code, _("Incus says: %s"), text);
}

/* The envelope of a reply. What is not one is a fault of the daemon's. */
json_t *
incus_open_reply(const struct http_reply *reply, struct error *err)
{
	json_t *envelope =
	    json_parse(reply->body, reply->size, _("the daemon's answer"), err);
	const char *type;
	const char *text;
	json_int_t status;

	if (envelope == NULL) {
		err->code = ERROR_FAILED;
		if (reply->status >= 200 && reply->status < 300)
			return NULL;
		error_clear(err);
		error_set(err, code_of_status(reply->status),
		    _("Incus answers with HTTP status %d"), reply->status);
		return NULL;
	}

	/* A failed operation is told inside a reply of status 200. */
	type = json_text(envelope, "type");
	if (reply->status >= 200 && reply->status < 300 &&
	    (type == NULL || strcmp(type, "error") != 0))
		return envelope;
	text = json_text(envelope, "error");
	status = json_number(envelope, "error_code");
	if (status < 400 || status > 599)
		status = reply->status;
	incus_set_error(err, (int)status, text != NULL ? text : "?");
	json_decref(envelope);
	return NULL;
}

int
incus_get(struct incus_client *client, const char *path, json_t **ret_metadata,
    struct error *err)
{
	struct http_request request = {.method = "GET", .path = path};
	auto_reply struct http_reply reply = {0};
	auto_json json_t *envelope = NULL;
	json_t *metadata;

	if (http_call(client->http, &request, &reply, err) < 0)
		return -1;
	envelope = incus_open_reply(&reply, err);
	if (envelope == NULL)
		return -1;
	metadata = json_object_get(envelope, "metadata");
	if (metadata == NULL)
		return error_set(err, ERROR_FAILED,
		    _("the daemon's answer to '%s' is empty"), path);
	*ret_metadata = json_incref(metadata);
	return 0;
}

static int
send_text(struct incus_client *client, const char *method, const char *path,
    const char *text, struct error *err)
{
	struct http_request request = {
	    .method = method, .path = path, .body = text};
	auto_reply struct http_reply reply = {0};
	auto_json json_t *envelope = NULL;

	if (http_call(client->http, &request, &reply, err) < 0)
		return -1;
	envelope = incus_open_reply(&reply, err);
	return envelope != NULL ? 0 : -1;
}

int
incus_send(struct incus_client *client, const char *method, const char *path,
    json_t *body, struct error *err)
{
	auto_json json_t *owned = body;
	auto_free char *text = NULL;

	if (path == NULL)
		return -1;
	if (owned == NULL)
		return error_set_memory(err);
	text = json_print(owned, false, err);
	return text != NULL ? send_text(client, method, path, text, err) : -1;
}

int
incus_delete(struct incus_client *client, const char *path, struct error *err)
{
	return send_text(client, "DELETE", path, NULL, err);
}

int
incus_exists(struct incus_client *client, const char *path, struct error *err)
{
	auto_json json_t *metadata = NULL;

	if (incus_get(client, path, &metadata, err) == 0)
		return 1;
	if (err->code != ERROR_NOT_FOUND)
		return -1;
	error_clear(err);
	return 0;
}
