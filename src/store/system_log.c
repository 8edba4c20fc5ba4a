#include "store/system_log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/wait.h"

/* syslog(3) would wait for ever, and does not tell whether anyone listened. */
#define SEND_TIMEOUT_MS 2000

/* "<86>Nov 25 16:01:02 anklume[4194304]: " and the text. */
#define MESSAGE_BYTES (SYSTEM_LOG_TEXT_MAX_BYTES + 64)

static int
connect_to(const char *socket_path, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	auto_close int fd =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return error_set_errno(err, errno, "socket");
	if (strlen(socket_path) >= sizeof(address.sun_path))
		return error_set_errno(err, ENAMETOOLONG, "'%s'", socket_path);
	memcpy(address.sun_path, socket_path, strlen(socket_path));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return error_set_errno(
		    err, errno, _("no syslog listens on '%s'"), socket_path);
	return steal_fd(&fd);
}

/* As syslog(3) spells it: RFC 3164, without the host's name. */
static int
format_message(char message[MESSAGE_BYTES], const char *text)
{
	char stamp[32] = "";
	char shown[SYSTEM_LOG_TEXT_MAX_BYTES + 1];
	time_t now = time(NULL);
	struct tm parts = {0};

	(void)localtime_r(&now, &parts);
	/* LC_TIME is never set: the months are English. */
	(void)strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &parts);
	text_escape(shown, sizeof(shown), text, strlen(text));
	return snprintf(message, MESSAGE_BYTES, "<%d>%s anklume[%d]: %s",
	    LOG_AUTHPRIV | LOG_INFO, stamp, (int)getpid(), shown);
}

int
system_log_send(const char *socket_path, const char *text, struct error *err)
{
	char message[MESSAGE_BYTES];
	int length = format_message(message, text);
	auto_close int fd = connect_to(socket_path, err);
	int ready;

	if (fd < 0)
		return -1;
	ready = wait_ready(fd, POLLOUT, SEND_TIMEOUT_MS, err);
	if (ready < 0)
		return -1;
	if (ready == 0)
		return error_set(
		    err, ERROR_FAILED, _("'%s' takes nothing"), socket_path);
	if (send(fd, message, (size_t)length, MSG_NOSIGNAL) != length)
		return error_set_errno(err, errno, "'%s'", socket_path);
	return 0;
}

int
system_log_check(const char *socket_path, struct error *err)
{
	auto_close int fd = connect_to(socket_path, err);

	return fd < 0 ? -1 : 0;
}
