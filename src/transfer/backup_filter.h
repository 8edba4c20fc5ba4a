/* backup_filter.h - which entries of a catalogue are meant */

#ifndef ANKLUME_TRANSFER_BACKUP_FILTER_H
#define ANKLUME_TRANSFER_BACKUP_FILTER_H

#include <stdbool.h>
#include <stddef.h>

struct backup_word;
struct catalogue_entry;
struct error;

/* What is asked of an entry; all of it must hold. Texts are borrowed. */
struct backup_filter {
	const char *project;   /* NULL: of any */
	const char *recipient; /* the end of a fingerprint; NULL: any */
	bool instances_only;   /* no volumes */
	size_t count;
	struct backup_word *words; /* one of them must mean it; none: any */
};

/* Parse `count` words (backup_word.h); no paths. ERROR_USAGE. */
int backup_filter_add_words(struct backup_filter *filter,
    const char *const *words, size_t count, struct error *err);

/* Let through what is encrypted to a key: a fingerprint, or at least the last
 * 16 digits of one. NULL is fine. ERROR_USAGE. */
int backup_filter_set_recipient(
    struct backup_filter *filter, const char *recipient, struct error *err);

bool backup_filter_takes(
    const struct backup_filter *filter, const struct catalogue_entry *entry);

void backup_filter_clear(struct backup_filter *filter);

static inline void
auto_backup_filter_cleanup(struct backup_filter *filter)
{
	backup_filter_clear(filter);
}

/* An owning local. */
#define auto_backup_filter __attribute__((cleanup(auto_backup_filter_cleanup)))

#endif
