/* backup_group.h - the archives of one instance or custom volume of one
 * server, by their manifests */

#ifndef ANKLUME_TRANSFER_BACKUP_GROUP_H
#define ANKLUME_TRANSFER_BACKUP_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct catalogue;
struct catalogue_entry;
struct error;

/* The newest stands first. Texts and entries are the catalogue's. */
struct backup_group {
	const char *fingerprint; /* of the server */
	const char *project;
	const char *subject; /* store/subject.h */
	size_t count;
	const struct catalogue_entry **entries;
};

/* By project, subject and server, a project's volumes last. Entries without a
 * manifest that names all three, or with one whose file is gone, are in none.
 */
struct backup_groups {
	size_t count;
	struct backup_group *items;
	const struct catalogue_entry **entries; /* of all groups */
};

int backup_groups_make(const struct catalogue *catalogue,
    struct backup_groups *ret_groups, struct error *err);

void backup_groups_clear(struct backup_groups *groups);

static inline void
auto_backup_groups_cleanup(struct backup_groups *groups)
{
	backup_groups_clear(groups);
}

/* An owning local. */
#define auto_backup_groups __attribute__((cleanup(auto_backup_groups_cleanup)))

/* When it was made; false where its manifest does not tell. */
bool backup_group_time(const struct catalogue_entry *entry, time_t *ret_when);

/* Whether it is much smaller than the one before, and nobody has said that this
 * is as it should be (backup ack). */
bool backup_group_shrank(const struct catalogue_entry *entry);

#endif
