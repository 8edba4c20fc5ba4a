#include "incus/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"

static const char *
environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

/* What is typed for another daemon must not be done to this one. */
static int
check_remote(struct error *err)
{
	const char *remote = environment("INCUS_REMOTE");

	if (remote == NULL || strcmp(remote, "local") == 0)
		return 0;
	error_set(err, ERROR_USAGE,
	    _("INCUS_REMOTE is '%s', and only the local daemon is known"),
	    remote);
	return error_hint(err, "unset INCUS_REMOTE");
}

char *
incus_endpoint_find(struct error *err)
{
	const char *given = environment("INCUS_SOCKET");
	const char *directory = environment("INCUS_DIR");
	auto_free char *path = NULL;
	auto_free char *restricted = NULL;

	if (check_remote(err) < 0)
		return NULL;
	if (given != NULL)
		return text_copy(given, strlen(given), err);

	if (directory == NULL)
		directory = access("/run/incus/unix.socket", F_OK) == 0
				? "/run/incus"
				: "/var/lib/incus";
	path = text_format(err, "%s/unix.socket", directory);
	restricted = path != NULL ? text_format(err, "%s.user", path) : NULL;
	if (restricted == NULL)
		return NULL;
	if (access(path, W_OK) < 0 && access(restricted, W_OK) == 0)
		return steal(restricted);
	return steal(path);
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

/* A listener whose backlog is full keeps connect(2) waiting, for ever or for
 * the time to send (unix(7)). */
static int
connect_in_time(int fd, const struct sockaddr_un *address, int timeout_ms,
    struct error *err)
{
	struct timeval limit = {
	    .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000L};

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return error_set_errno(err, errno, "setsockopt");
	while (connect(fd, (const struct sockaddr *)address, sizeof(*address)) <
	       0) {
		if (errno == EAGAIN)
			return error_set(err, ERROR_UNREACHABLE,
			    _("Incus has not answered for %d s"),
			    timeout_ms / 1000);
		if (errno != EINTR)
			return explain(address->sun_path, errno, err);
		if (interrupt_check(err) < 0)
			return -1;
	}
	return 0;
}

int
incus_endpoint_connect(
    const char *socket_path, int timeout_ms, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	auto_close int fd = -1;

	if (strlen(socket_path) >= sizeof(address.sun_path))
		return error_set(err, ERROR_UNREACHABLE,
		    _("the socket's path '%s' is longer than %zu bytes"),
		    socket_path, sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set_errno(err, errno, "socket");
	if (connect_in_time(fd, &address, timeout_ms, err) < 0)
		return -1;
	return steal_fd(&fd);
}

int
incus_endpoint_try(const char *socket_path, int timeout_ms, struct error *err)
{
	auto_close int fd =
	    incus_endpoint_connect(socket_path, timeout_ms, err);

	return fd < 0 ? -1 : 0;
}

int
incus_endpoint_sees_daemon(
    const char *socket_path, int timeout_ms, bool *ret_sees, struct error *err)
{
	auto_close int fd =
	    incus_endpoint_connect(socket_path, timeout_ms, err);
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (fd < 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return error_set_errno(err, errno, "getsockopt");
	/* One of another namespace has no number here: 0 (unix(7)). */
	*ret_sees = peer.pid != 0;
	return 0;
}
