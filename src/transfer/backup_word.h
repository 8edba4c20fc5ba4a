/* backup_word.h - the words that name a backup, where one is read
 *
 * A path, "[PROJECT/]INSTANCE" or "PROJECT/POOL/VOLUME" (its newest intact
 * one), or one of these with "@TIME" (the newest of that day, minute or
 * second). They are looked up in the manifests of a directory, never in file
 * names. */

#ifndef ANKLUME_TRANSFER_BACKUP_WORD_H
#define ANKLUME_TRANSFER_BACKUP_WORD_H

#include <stdbool.h>
#include <time.h>

struct catalogue_entry;
struct error;
struct watch;

/* Where archives are looked for when nothing else is said. */
#define BACKUP_DIRECTORY "backups"

/* "[PROJECT/]INSTANCE[@TIME]" or "PROJECT/POOL/VOLUME[@TIME]", parsed. */
struct backup_word {
	char *project; /* NULL when not said */
	char *subject; /* store/subject.h */
	time_t begin;  /* made from here on */
	time_t end;    /* and before this; 0: at any time */
};

/* ERROR_USAGE. A volume's name may hold an "@": what follows its last one is a
 * time where it reads as one, and else a part of the name. */
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

/* A file that is there is a path, and so is what looks like one. */
bool backup_word_is_path(const char *text);

/* Whether a word names the backup of a custom volume, and no path. */
bool backup_word_is_of_volume(const char *text);

/* Whether an entry's manifest says that it is of this instance or volume. */
bool backup_word_is_of(
    const struct backup_word *word, const struct catalogue_entry *entry);

/* The same, and made at this time: whether it is one of those meant. */
bool backup_word_means(
    const struct backup_word *word, const struct catalogue_entry *entry);

struct backup_search {
	const char *from;    /* a directory; NULL is BACKUP_DIRECTORY */
	const char *project; /* breaks ties; NULL */
};

/* The path of the one archive that is meant, heap. What is passed over, since
 * its file is not what its manifest says, is noted. ERROR_NOT_FOUND;
 * ERROR_AMBIGUOUS when several projects or servers have such a one;
 * ERROR_NO_DIRECTORY. */
int backup_word_find(const char *text, const struct backup_search *search,
    const struct watch *watch, char **ret_path, struct error *err);

#endif
