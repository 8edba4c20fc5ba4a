#include "transfer/self.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "incus/instance.h"
#include "incus/sftp_path.h"
#include "incus/sftp_session.h"

/* "pipe:[4294967295]" */
#define PIPE_NAME_BYTES 64

/* The guest's side of the daemon is there, or the machine bears the instance's
 * name. */
static bool
may_be(const char *name)
{
	char host[256] = {0};

	return access("/dev/incus", F_OK) == 0 ||
	       access("/dev/lxd", F_OK) == 0 || getenv("container") != NULL ||
	       (gethostname(host, sizeof(host) - 1) == 0 &&
		   strcmp(host, name) == 0);
}

/* Whether the instance's /proc shows that link, too. */
static bool
sees(struct incus_client *client, const struct instance_ref *instance,
    const char *path, const char *expected)
{
	struct error ignored = {0};
	auto_free char *seen = NULL;
	struct sftp_session *session =
	    sftp_session_new(client, instance, &ignored);

	if (session != NULL && sftp_session_ready(session, &ignored) == 0)
		seen = sftp_read_link(session, path, &ignored);
	sftp_session_free(session);
	return seen != NULL && strcmp(seen, expected) == 0;
}

bool
self_is(struct incus_client *client, const struct instance_ref *instance)
{
	char path[64];
	char name[PIPE_NAME_BYTES + 1] = {0};
	bool same;
	int fds[2];

	if (!may_be(instance->name) || pipe2(fds, O_CLOEXEC) < 0)
		return false;
	(void)snprintf(
	    path, sizeof(path), "/proc/%ld/fd/%d", (long)getpid(), fds[0]);
	same = readlink(path, name, PIPE_NAME_BYTES) > 0 &&
	       sees(client, instance, path, name);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return same;
}
