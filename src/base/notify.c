#include "base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/text.h"

/* systemd sets it; others may have it from a service that they run in. */
#define VARIABLE "NOTIFY_SOCKET"

/* A path, or with "@" an abstract name (unix(7)), whose first byte is a NUL and
 * which ends with its length. 0 when it is neither. */
static socklen_t
address_of(const char *name, struct sockaddr_un *ret_address)
{
	size_t length = name != NULL ? strlen(name) : 0;

	if (length < 2 || length >= sizeof(ret_address->sun_path) ||
	    (*name != '/' && *name != '@'))
		return 0;
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret_address->sun_path, name, length);
	if (*name == '@')
		ret_address->sun_path[0] = '\0';
	else
		length++;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

bool
notify_is_wanted(void)
{
	struct sockaddr_un address;

	return address_of(getenv(VARIABLE), &address) > 0;
}

/* READY=1 and STOPPING=1 are not sent: a oneshot service has no use for them,
 * and in a service that only calls this program they would be lies. */
void
notify_status(const char *text)
{
	int saved = errno;
	struct sockaddr_un address;
	socklen_t size = address_of(getenv(VARIABLE), &address);
	auto_close int fd = -1;
	char shown[NOTIFY_STATUS_BYTES];
	char message[sizeof("STATUS=") + sizeof(shown)];
	int length;

	if (size > 0)
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		text_escape(shown, sizeof(shown), text, strlen(text));
		length = snprintf(message, sizeof(message), "STATUS=%s", shown);
		(void)sendto(fd, message, (size_t)length,
		    MSG_DONTWAIT | MSG_NOSIGNAL,
		    (const struct sockaddr *)&address, size);
	}
	errno = saved;
}
