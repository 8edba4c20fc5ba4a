/* complete.h - names that could stand where somebody is typing
 *
 * They come from a daemon and from directories that may be hostile, and go into
 * a command line: only names of ASCII's letters, digits, "-", "_" and ".",
 * paths also with "+@%,/:", are offered, on which no shell acts, and nothing
 * that could be taken for an option. Of each set, those that begin with what is
 * typed are offered. */

#ifndef ANKLUME_TRANSFER_COMPLETE_H
#define ANKLUME_TRANSFER_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

struct error;

struct completion {
	const char *typed;   /* the beginning of the word */
	const char *project; /* whose instances need no project; NULL */
	const char *from;    /* the directory of archives; NULL: backups/ */
	int timeout_s;	     /* without any word of the daemon */
	void (*offer)(void *context, const char *word);
	void *context;
	size_t offered; /* how many there were */
};

/* "NAME" with `behind` after it; "PROJECT/NAME" where several projects have the
 * name, where a "/" is typed, or where nothing else begins so. */
int complete_instances(
    struct completion *completion, const char *behind, struct error *err);

/* Those of one instance, as it was typed. */
int complete_snapshots(
    struct completion *completion, const char *instance, struct error *err);

int complete_projects(struct completion *completion, struct error *err);
int complete_pools(struct completion *completion, struct error *err);

/* The instances that have backups, spelled as above, and the volumes, always
 * with project and pool; behind an "@", when those were made; with `paths`,
 * also those of the archives. */
int complete_archived(
    struct completion *completion, bool paths, struct error *err);

/* The snapshots in one archive, as it was typed. */
int complete_archived_snapshots(
    struct completion *completion, const char *backup, struct error *err);

#endif
