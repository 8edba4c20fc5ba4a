/* backup_word.h - the words that name a backup, where one is read
 *
 * A path, "[PROJECT/]INSTANCE" (its newest intact one), or "INSTANCE@TIME" (the
 * newest of that day, minute or second). Instances are looked up in the
 * manifests of a directory, never in file names. */

#ifndef ANKLUME_TRANSFER_BACKUP_WORD_H
#define ANKLUME_TRANSFER_BACKUP_WORD_H

#include <stdbool.h>
#include <time.h>

#include "transfer/location.h"

struct catalogue_entry;
struct error;
struct watch;

/* Where archives are looked for when nothing else is said. */
#define BACKUP_DIRECTORY "backups"

/* "[PROJECT/]INSTANCE[@TIME]", parsed. */
struct backup_word {
	struct instance_word instance;
	time_t begin; /* made from here on */
	time_t end;   /* and before this; 0: at any time */
};

/* ERROR_USAGE. */
int backup_word_parse(
    const char *text, struct backup_word *ret_word, struct error *err);

void backup_word_clear(struct backup_word *word);

static inline void
auto_backup_word_cleanup(struct backup_word *word)
{
	backup_word_clear(word);
}

/* An owning local. */
#define auto_backup_word __attribute__((cleanup(auto_backup_word_cleanup)))

/* Whether an entry's manifest says that it is one of those meant. */
bool backup_word_means(
    const struct backup_word *word, const struct catalogue_entry *entry);

struct backup_search {
	const char *from;    /* a directory; NULL is BACKUP_DIRECTORY */
	const char *project; /* breaks ties; NULL */
};

/* The path of the one archive that is meant, heap. What is passed over, since
 * its file is not what its manifest says, is noted. ERROR_NOT_FOUND;
 * ERROR_AMBIGUOUS when several projects or servers have such an instance;
 * ERROR_NO_DIRECTORY. */
int backup_word_find(const char *text, const struct backup_search *search,
    const struct watch *watch, char **ret_path, struct error *err);

#endif
