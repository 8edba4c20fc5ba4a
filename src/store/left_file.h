/* left_file.h - files that publications (publication.h) have left in a
 * directory of archives when they were killed */

#ifndef ANKLUME_STORE_LEFT_FILE_H
#define ANKLUME_STORE_LEFT_FILE_H

#include <stdbool.h>

struct error;

/* One of them; all is borrowed. */
struct left_file {
	const char *path; /* below the directory as it was named */
	const char *name;
	int directory_fd; /* of the one that it lies in */
	bool in_use;	  /* or too young for that to be told */
};

/* Called for each; -1 with err set ends the search. */
typedef int left_file_visit(
    void *data, const struct left_file *file, struct error *err);

/* Look in a directory and in those directly below it, hidden ones and links
 * left out: regular files of ours, by name and owner. One is in use when a
 * process holds it that can be seen from here; where others may hold it (from a
 * container, or on a file system of a network), also when it is younger than a
 * day.
 * ERROR_NO_DIRECTORY. */
int left_file_each(const char *directory, left_file_visit *visit, void *data,
    struct error *err);

/* Take one away, if it still is what it was. */
int left_file_remove(const struct left_file *file, struct error *err);

/* Whether a process of this host has a file of that name open; the names are
 * random. Sees those of other users only as root. */
bool left_file_is_held(const char *name);

#endif
