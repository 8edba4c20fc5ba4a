/* sftp_list.h - what lies in directories inside an instance, several at once */

#ifndef ANKLUME_INCUS_SFTP_LIST_H
#define ANKLUME_INCUS_SFTP_LIST_H

#include <stddef.h>

struct batch_directory;
struct error;
struct file_facts;
struct sftp_session;

/* More than this in one directory is taken for a directory without an end. */
#define SFTP_LIST_ENTRIES_MAX 1000000

/* Who takes the entries, as they come. */
struct list_taker {
	void *data;

	/* `name` is a name: not empty, at most 255 bytes, without '/' and NUL,
	 * neither "." nor "..". -1 with err set stops all. */
	int (*take)(void *data, struct batch_directory *in, const char *name,
	    const struct file_facts *facts, struct error *err);
};

/* List each directory that has not failed yet, at its path `from`. A server
 * that gives names which are none fails that directory; -1 is only for what
 * stops all. `count` is DIRECTORY_BATCH_MAX at most. */
int sftp_list(struct sftp_session *session, struct batch_directory *directories,
    size_t count, const struct list_taker *taker, struct error *err);

#endif
