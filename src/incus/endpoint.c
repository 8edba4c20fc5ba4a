#include "incus/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"

void
incus_endpoint_clear(struct incus_endpoint *endpoint)
{
	free(endpoint->socket_path);
	free(endpoint->project);
	*endpoint = (struct incus_endpoint){0};
}

static const char *
environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

int
incus_endpoint_find(struct incus_endpoint *ret_endpoint, struct error *err)
{
	struct incus_endpoint found = {0};
	auto_free char *restricted = NULL;
	const char *socket = environment("INCUS_SOCKET");
	const char *directory = environment("INCUS_DIR");

	if (socket != NULL) {
		found.socket_path = text_copy(socket, strlen(socket), err);
		*ret_endpoint = found;
		return found.socket_path != NULL ? 0 : -1;
	}

	if (directory == NULL)
		directory = access("/run/incus/unix.socket", F_OK) == 0
				? "/run/incus"
				: "/var/lib/incus";
	found.socket_path = text_format(err, "%s/unix.socket", directory);
	if (found.socket_path == NULL)
		return -1;
	restricted = text_format(err, "%s.user", found.socket_path);
	if (restricted == NULL)
		goto fail;

	if (access(found.socket_path, W_OK) < 0 &&
	    access(restricted, W_OK) == 0) {
		free(found.socket_path);
		found.socket_path = steal(restricted);
		found.project =
		    text_format(err, "user-%lu", (unsigned long)geteuid());
		if (found.project == NULL)
			goto fail;
	}
	*ret_endpoint = found;
	return 0;

fail:
	incus_endpoint_clear(&found);
	return -1;
}

static int
explain(const char *path, int number, struct error *err)
{
	switch (number) {
	case ENOENT:
		error_set(err, ERROR_UNREACHABLE,
		    _("Incus is not reachable: there is no socket '%s'"), path);
		return error_hint(err,
		    _("is Incus installed and started? systemctl start incus; "
		      "another place: INCUS_SOCKET=/path/unix.socket"));
	case ECONNREFUSED:
		error_set(err, ERROR_UNREACHABLE,
		    _("Incus is not reachable: nothing listens on '%s'"), path);
		return error_hint(err, "systemctl start incus");
	case EACCES:
	case EPERM:
		error_set(err, ERROR_UNREACHABLE,
		    _("permission denied on the Incus socket '%s'"), path);
		return error_hint(err,
		    _("join its group, then log in again: sudo usermod -aG "
		      "incus-admin \"$USER\""));
	default:
		return error_set(err, ERROR_UNREACHABLE,
		    _("Incus is not reachable at '%s': %s"), path,
		    strerror(number));
	}
}

int
incus_endpoint_try(const struct incus_endpoint *endpoint, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	auto_close int fd = -1;

	if (strlen(endpoint->socket_path) >= sizeof(address.sun_path))
		return error_set(err, ERROR_UNREACHABLE,
		    _("the socket's path '%s' is longer than %zu bytes"),
		    endpoint->socket_path, sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, endpoint->socket_path,
	    strlen(endpoint->socket_path) + 1);

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set_errno(err, errno, "socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return explain(endpoint->socket_path, errno, err);
	return 0;
}
