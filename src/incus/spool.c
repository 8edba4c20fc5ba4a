#include "incus/spool.h"

#include <string.h>
#include <sys/statvfs.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/project.h"

/* "POOL/VOLUME" (incus, doc/server_config, storage.backups_volume). */
#define VOLUME_KEY "storage.backups_volume"

int
incus_spool_is_used(struct incus_client *client, struct error *err)
{
	int direct = incus_client_supports(client, "direct_backup", err);

	return direct < 0 ? -1 : !direct;
}

/* As we see it: the daemon may run where other file systems are mounted. */
static int
room_beside_socket(
    struct incus_client *client, uint64_t *ret_bytes, struct error *err)
{
	const char *socket = incus_client_socket(client);
	const char *slash = strrchr(socket, '/');
	auto_free char *path = NULL;
	struct statvfs found;

	if (slash == NULL)
		return 0;
	path = text_format(err, "%.*s/backups", (int)(slash - socket), socket);
	if (path == NULL)
		return -1;
	if (statvfs(path, &found) < 0)
		return 0;
	*ret_bytes = (uint64_t)found.f_bavail * found.f_frsize;
	return 1;
}

int
incus_spool_room(
    struct incus_client *client, uint64_t *ret_bytes, struct error *err)
{
	const char *volume = incus_client_config(client, VOLUME_KEY, err);
	auto_free char *pool = NULL;
	size_t length;

	if (error_is_set(err))
		return -1;
	if (volume == NULL || *volume == '\0')
		return room_beside_socket(client, ret_bytes, err);
	length = strcspn(volume, "/");
	pool = text_copy(volume, length, err);
	return pool != NULL ? incus_pool_free(client, pool, ret_bytes, err)
			    : -1;
}
