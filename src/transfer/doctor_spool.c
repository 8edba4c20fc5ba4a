#include "transfer/doctor_checks.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/endpoint.h"
#include "incus/project.h"
#include "store/disk_encryption.h"

/* Less than either is little. */
#define ROOM_LEAST_BYTES ((uint64_t)1024 * 1024 * 1024)
#define ROOM_LEAST_PERCENT 5

#define VOLUME_KEY "storage.backups_volume"

/* The daemon's directory where its socket is in /run (incus, debian). */
#define DAEMON_DIRECTORY "/var/lib/incus"

struct room {
	uint64_t free_bytes;
	uint64_t total_bytes;
};

/* The daemon's own directory "backups" (a symlink where it has a volume for
 * it): heap, or NULL where it is not to be seen, with or without err set. A
 * daemon whose process is out of sight has another root. */
static char *
spool_directory(struct incus_client *client, struct error *err)
{
	const char *socket = incus_client_socket(client);
	const char *slash = strrchr(socket, '/');
	const char *const bases[] = {socket, DAEMON_DIRECTORY};
	const int lengths[] = {slash != NULL ? (int)(slash - socket) : 0,
	    (int)strlen(DAEMON_DIRECTORY)};
	bool sees_daemon = false;

	if (incus_endpoint_sees_daemon(socket, incus_client_timeout_ms(client),
		&sees_daemon, err) < 0 ||
	    !sees_daemon)
		return NULL;
	for (size_t i = 0; i < 2; i++) {
		auto_free char *path =
		    text_format(err, "%.*s/backups", lengths[i], bases[i]);
		struct stat found;

		if (path == NULL)
			return NULL;
		if (stat(path, &found) == 0 && S_ISDIR(found.st_mode))
			return steal(path);
	}
	return NULL;
}

static int
refuse_unseen(struct error *err)
{
	if (error_is_set(err))
		return -1;
	return error_set(err, ERROR_FAILED,
	    _("the daemon's spool cannot be seen from here"));
}

static int
room_of_volume(struct incus_client *client, const char *volume,
    struct room *ret_room, struct error *err)
{
	auto_free char *pool = text_copy(volume, strcspn(volume, "/"), err);
	int known;

	if (pool == NULL)
		return -1;
	known = incus_pool_room(
	    client, pool, &ret_room->free_bytes, &ret_room->total_bytes, err);
	if (known < 0)
		return -1;
	return known > 0 ? 0
			 : error_set(err, ERROR_FAILED,
			       _("the pool '%s' does not tell its room"), pool);
}

static int
room_of_directory(const char *path, struct room *ret_room, struct error *err)
{
	struct statvfs found;

	if (statvfs(path, &found) < 0)
		return error_set_errno(
		    err, errno, _("cannot look at '%s'"), path);
	ret_room->free_bytes = (uint64_t)found.f_bavail * found.f_frsize;
	ret_room->total_bytes = (uint64_t)found.f_blocks * found.f_frsize;
	return 0;
}

/* `where` is a volume or a directory. */
static void
judge_room(struct doctor *doctor, const char *where, const struct room *room)
{
	char shown[TEXT_SIZE_BYTES];
	struct error what = {0};

	(void)text_show_size(shown, room->free_bytes);
	if (room->free_bytes >= ROOM_LEAST_BYTES &&
	    room->free_bytes >= room->total_bytes / 100 * ROOM_LEAST_PERCENT) {
		findings_say(doctor->findings, "spool-room", FINDING_OK,
		    _("the daemon's spool '%s' has %s free"), where, shown);
		return;
	}
	error_set(&what, ERROR_NO_SPACE,
	    _("the daemon's spool '%s' has only %s free: exports and imports "
	      "go over it"),
	    where, shown);
	error_hint(&what, "incus config set " VOLUME_KEY " POOL/VOLUME");
	findings_add(doctor->findings, "spool-room", FINDING_PROBLEM, &what);
}

int
doctor_spool_room(struct doctor *doctor, struct error *err)
{
	struct incus_client *client = doctor->client;
	const char *volume = NULL;
	auto_free char *path = NULL;
	struct room room = {0};

	if (incus_client_setting(client, VOLUME_KEY, &volume, err) < 0)
		return -1;
	if (volume != NULL) {
		if (room_of_volume(client, volume, &room, err) < 0)
			return -1;
		judge_room(doctor, volume, &room);
		return 0;
	}
	path = spool_directory(client, err);
	if (path == NULL)
		return refuse_unseen(err);
	if (room_of_directory(path, &room, err) < 0)
		return -1;
	judge_room(doctor, path, &room);
	return 0;
}

static void
tell_plain(struct doctor *doctor, const char *path)
{
	struct error what = {0};

	if (doctor->spools)
		error_set(&what, ERROR_FAILED,
		    _("the daemon's spool '%s' lies on a disk that is not "
		      "encrypted: exports and imports are there in the clear "
		      "for a while"),
		    path);
	else
		error_set(&what, ERROR_FAILED,
		    _("the daemon's spool '%s' lies on a disk that is not "
		      "encrypted: imports are there in the clear for a while"),
		    path);
	error_hint(&what, "incus config set " VOLUME_KEY " POOL/VOLUME");
	findings_add(doctor->findings, "spool-encryption", FINDING_NOTE, &what);
}

int
doctor_spool_encryption(struct doctor *doctor, struct error *err)
{
	auto_free char *path = spool_directory(doctor->client, err);
	enum disk_encryption disk = DISK_UNKNOWN;

	if (error_is_set(err))
		return -1;
	if (path != NULL)
		disk = disk_encryption_of(path);
	switch (disk) {
	case DISK_ENCRYPTED:
		findings_say(doctor->findings, "spool-encryption", FINDING_OK,
		    _("the daemon's spool '%s' lies on an encrypted disk"),
		    path);
		return 0;
	case DISK_PLAIN:
		tell_plain(doctor, path);
		return 0;
	case DISK_UNKNOWN:
	default:
		break;
	}
	if (doctor->spools)
		return error_set(err, ERROR_FAILED,
		    _("whether the disk of the daemon's spool is encrypted "
		      "cannot be told"));
	return 0;
}
