/* backup_choice.h - which archives a run over several is about */

#ifndef ANKLUME_TRANSFER_BACKUP_CHOICE_H
#define ANKLUME_TRANSFER_BACKUP_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct watch;

struct backup_choice_request {
	const char *const *words; /* as in backup_word.h; none: all */
	size_t word_count;
	const char *from;    /* a directory; NULL: backups/ */
	const char *project; /* NULL: of any */

	/* No custom volumes: one that is named is ERROR_USAGE. */
	bool instances_only;

	/* Of those that the words mean, only so many: those whose proof of this
	 * kind ("content", "drill") is the longest ago, or that have none. 0: a
	 * word is one archive, without words it is every one. */
	size_t oldest;
	const char *proof;
};

/* Paths of archives, in the order in which they are to be gone through. A file
 * that has gone is among them where nothing was said but a directory. */
struct backup_choice {
	size_t count;
	char **paths;
};

/* ERROR_NOT_FOUND when nothing matches. */
int backup_choose(const struct backup_choice_request *request,
    const struct watch *watch, struct backup_choice *ret_choice,
    struct error *err);

void backup_choice_clear(struct backup_choice *choice);

static inline void
auto_backup_choice_cleanup(struct backup_choice *choice)
{
	backup_choice_clear(choice);
}

/* An owning local. */
#define auto_backup_choice __attribute__((cleanup(auto_backup_choice_cleanup)))

#endif
