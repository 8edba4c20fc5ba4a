#include "transfer/self.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "incus/client.h"
#include "incus/endpoint.h"
#include "incus/instance.h"
#include "incus/sftp_path.h"
#include "incus/sftp_session.h"

/* "pipe:[4294967295]" */
#define PIPE_NAME_BYTES 64

/* Whether the instance's /proc shows that link, too. */
static enum self
sees(struct incus_client *client, const struct instance_ref *instance,
    const char *path, const char *expected)
{
	struct error why = {0};
	auto_free char *seen = NULL;
	struct sftp_session *session = sftp_session_new(client, instance, &why);

	if (session != NULL && sftp_session_ready(session, &why) == 0)
		seen = sftp_read_link(session, path, &why);
	sftp_session_free(session);
	if (seen == NULL)
		return why.code == ERROR_NOT_FOUND ? SELF_NO : SELF_UNKNOWN;
	return strcmp(seen, expected) == 0 ? SELF_YES : SELF_NO;
}

static bool
is_outside(const struct incus_client *client)
{
	struct error ignored = {0};
	bool sees_daemon = false;

	return incus_endpoint_sees_daemon(incus_client_socket(client),
		   incus_client_timeout_ms(client), &sees_daemon,
		   &ignored) == 0 &&
	       sees_daemon;
}

enum self
self_ask(struct incus_client *client, const struct instance_ref *instance)
{
	char path[64];
	char name[PIPE_NAME_BYTES + 1] = {0};
	enum self answer = SELF_UNKNOWN;
	int fds[2];

	if (is_outside(client))
		return SELF_NO;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return SELF_UNKNOWN;
	(void)snprintf(
	    path, sizeof(path), "/proc/%ld/fd/%d", (long)getpid(), fds[0]);
	if (readlink(path, name, PIPE_NAME_BYTES) > 0)
		answer = sees(client, instance, path, name);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return answer;
}

bool
self_is(struct incus_client *client, const struct instance_ref *instance)
{
	return self_ask(client, instance) == SELF_YES;
}
