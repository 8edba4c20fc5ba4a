/* spool_plan.h - what exports at the same time may take of the daemon's disk
 *
 * A spool that is full stops the daemon's other work, too. Its exports are
 * compressed (incus/backup.c), so what one needs is told by the archive before:
 * a plain one is as large as it may get, a packed one about as large. */

#ifndef ANKLUME_TRANSFER_SPOOL_PLAN_H
#define ANKLUME_TRANSFER_SPOOL_PLAN_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct incus_client;
struct backup_subject;

struct spool_plan {
	bool limited; /* exports are spooled, and the room is known */
	uint64_t room_bytes;
};

int spool_plan_make(struct incus_client *client, struct spool_plan *ret_plan,
    struct error *err);

/* What an export is likely to take, by the newest archive in `directory`; 0
 * when nothing tells. */
uint64_t spool_plan_need(struct incus_client *client, const char *directory,
    const struct backup_subject *of);

/* ERROR_NO_SPACE when it needs more than there is, with what to set. */
int spool_plan_check(
    const struct spool_plan *plan, uint64_t need_bytes, struct error *err);

#endif
