#include "transfer/create_lock.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/backup_subject.h"
#include "incus/client.h"
#include "store/directory_lock.h"
#include "store/host_lock.h"

static int
hint_wait(struct error *err)
{
	return err->code == ERROR_LOCKED
		   ? error_hint(err, _("--lock-wait 1h waits for it"))
		   : -1;
}

/* Instances of two daemons of one host may have one name; none has a "+" in it.
 */
static char *
lock_name(struct incus_client *client, const struct backup_subject *of,
    struct error *err)
{
	const struct incus_server *server = incus_client_server(client, err);

	if (server == NULL)
		return NULL;
	return text_format(err, "backup-%.12s-%s-%s%s%s",
	    server->fingerprint != NULL ? server->fingerprint : "", of->project,
	    backup_subject_is_volume(of) ? of->pool : "",
	    backup_subject_is_volume(of) ? "+" : "", of->name);
}

int
create_lock_take(struct incus_client *client, const struct backup_subject *of,
    const char *directory, int64_t wait_ms, struct create_lock *ret_lock,
    struct error *err)
{
	auto_free char *name = lock_name(client, of, err);
	auto_close int in = -1;
	int fd;

	if (name == NULL)
		return -1;
	if (directory != NULL)
		in = directory_lock_take(directory, false, wait_ms, err);
	if (directory != NULL && in < 0)
		return hint_wait(err);
	fd = host_lock_take(name, wait_ms, err);
	if (fd < 0 && host_lock_is_refused(err))
		return hint_wait(err);
	*ret_lock =
	    (struct create_lock){.taken = true, .directory = steal_fd(&in)};
	if (fd < 0) {
		ret_lock->problem = *err;
		error_clear(err);
		return 0;
	}
	ret_lock->name = steal(name);
	ret_lock->subject = fd;
	return 0;
}

int
create_lock_look(struct incus_client *client, const struct backup_subject *of,
    enum host_lock_state *ret_state, time_t *ret_since, struct error *err)
{
	auto_free char *name = lock_name(client, of, err);

	if (name == NULL || host_lock_look(name, ret_state, err) < 0)
		return -1;
	return host_lock_taken_at(name, ret_since, err) < 0 ? -1 : 0;
}

void
create_lock_drop(struct create_lock *lock)
{
	if (!lock->taken)
		return;
	if (lock->name != NULL)
		host_lock_drop(lock->name, lock->subject);
	if (lock->directory >= 0)
		(void)close(lock->directory);
	free(lock->name);
	*lock = (struct create_lock){0};
}
